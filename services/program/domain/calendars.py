"""A programme's calendar: what happens on which day, and the secret address by which a calendar program reads it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from chassis.web.problems import Invalid

MAX_DAYS: Final = 400
FEED_DAYS: Final = (60, 340)
"""What a feed tells: so many days back, and so many to come."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens on a day, in the programme's time zone. `id` is that of the thing it is about, `done` says that a
    task is."""

    day: date
    kind: str
    title: str
    id: str
    owner_id: str | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """A person's secret address of a programme's calendar. Its `id` is a fingerprint of the secret, which nobody keeps
    but who got it."""

    id: str
    program_id: str
    person_id: str
    language: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """What whoever takes the programme over should know; Markdown."""

    program_id: str
    version: int = 1
    text: str = ""
    written_by: str | None = None
    updated_at: datetime | None = None


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def check_days(first: date, last: date) -> None:
    """Raises Invalid `to`: `before-start`, `too-long` (`max`)."""
    if last < first:
        raise Invalid.one("to", "before-start", "The period ends before it starts.")
    if (last - first).days >= MAX_DAYS:
        raise Invalid.one("to", "too-many-days", f"At most {MAX_DAYS} days.", max=MAX_DAYS)


def write_handover(before: Handover, text: str, person_id: str, now: datetime) -> Handover:
    """The notes with this text; the same object if nothing changes."""
    if text == before.text:
        return before
    values: dict[str, Any] = {"text": text, "written_by": person_id, "updated_at": now}
    return replace(before, version=before.version + 1, **values)
