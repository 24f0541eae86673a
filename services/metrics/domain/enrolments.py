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


@dataclass(frozen=True, slots=True)
class Enrolment:
    """That a person was an ambassador from a moment, until another (exclusive; None: still)."""

    person_id: str
    since: float
    until: float | None

    def overlaps(self, start: float, end: float) -> bool:
        """Whether it has a moment in [start, end), in seconds since 1970."""
        return self.since < end and (self.until is None or self.until > start)


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


def enrolled(enrolments: Iterable[Enrolment], start: float, end: float) -> set[str]:
    """Who was an ambassador at any time in [start, end), in seconds since 1970."""
    return {one.person_id for one in enrolments if one.overlaps(start, end)}
