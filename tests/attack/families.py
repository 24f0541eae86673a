"""All families of attacks, in the order in which they run."""

from __future__ import annotations

from tests.attack import (
    bombs,
    forgery,
    headers,
    injection,
    operators,
    private_addresses,
    redirects,
    scopes,
    sizes,
    slow_clients,
    small_groups,
    smuggling,
    tokens,
)
from tests.attack.attempt import Attempt, Family
from tests.attack.target import Target

FAMILIES: dict[str, Family] = {
    "tokens": tokens.attack,
    "scopes": scopes.attack,
    "forgery": forgery.attack,
    "redirects": redirects.attack,
    "script injection": injection.attack,
    "operators": operators.attack,
    "small groups": small_groups.attack,
    "private addresses": private_addresses.attack,
    "bombs": bombs.attack,
    "headers": headers.attack,
    "sizes": sizes.attack,
    "smuggling": smuggling.attack,
    "slow clients": slow_clients.attack,
}


async def attempts_of(name: str, target: Target) -> list[Attempt]:
    """Every case of a family. One that breaks off did not hold."""
    attempts: list[Attempt] = []
    try:
        async for attempt in FAMILIES[name](target):
            attempts.append(attempt)  # noqa: PERF401 - what came before an error counts
    except Exception as error:  # noqa: BLE001 - the table says so
        last = attempts[-1].name if attempts else "its beginning"
        attempts.append(Attempt(f"it broke off after {last}", False, f"{type(error).__name__}: {error}"[:300]))
    return attempts
