"""A moment as a form has it: written and shown in one named time zone, and the same again when nobody touched it.

A browser's `datetime-local` has neither a zone nor, of an hour that a clock goes through twice, which of the two. So
the form says the zone that it was made with and the moment that it showed: what is sent as it was shown is that moment.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class NoSuchTime(ValueError):
    """No clock in that zone ever shows it: it lies in the hour that is left out when summer time begins, or it is none
    at all."""


def local(moment: datetime, zone: ZoneInfo) -> str:
    """The moment as an input of the type `datetime-local` has it: no smaller units than it needs, milliseconds at
    most."""
    shown = _shown(moment, zone)
    units = "milliseconds" if shown.microsecond else "seconds" if shown.second else "minutes"
    return shown.isoformat(timespec=units)


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    found = moment.astimezone(zone).replace(tzinfo=None)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def moment_of(text: str, zone: ZoneInfo, was: datetime | None = None) -> datetime:
    """The moment, in UTC, that a clock of the zone shows as `text`; the first of two. `was` is the moment that the form
    showed. Raises NoSuchTime."""
    try:
        written = datetime.fromisoformat(text)
        if written.tzinfo is not None:
            raise NoSuchTime(text)
        if was is not None and _shown(was, zone) == written:
            return was.astimezone(UTC)
        found = written.replace(tzinfo=zone).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) != written:
            raise NoSuchTime(text)
    except (ValueError, OverflowError) as error:
        raise NoSuchTime(text) from error
    return found
