"""What an attack came to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from tests.attack.target import Target


@dataclass(frozen=True, slots=True)
class Attempt:
    """One case: `held` if Herald did nothing that it must not do; `seen` is what it did."""

    name: str
    held: bool
    seen: str


Family = Callable[[Target], AsyncIterator[Attempt]]


def refused(name: str, answer: httpx.Response, *statuses: int) -> Attempt:
    """Held if the answer has one of the statuses; any 4xx where none is named. An answer of 5xx never holds."""
    held = answer.status_code in statuses if statuses else 400 <= answer.status_code < 500
    return Attempt(name, held, str(answer.status_code))


def expect(name: str, held: bool, seen: object) -> Attempt:
    return Attempt(name, held, str(seen)[:200])
