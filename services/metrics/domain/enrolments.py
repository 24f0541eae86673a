"""Who was an ambassador, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """At `at` (seconds since 1970) a person joined or left; `id` orders what happened at the same time."""

    at: float
    id: str
    joined: bool


def intervals(changes: Iterable[MembershipChange]) -> list[tuple[float, float | None]]:
    """From each joining to the leaving that follows it, in any order of arrival; None: still enrolled."""
    found: list[tuple[float, float | None]] = []
    since: float | None = None
    for change in sorted(changes, key=lambda one: (one.at, one.id)):
        if change.joined:
            since = change.at if since is None else since
        elif since is not None:
            found.append((since, change.at))
            since = None
    return found if since is None else [*found, (since, None)]
