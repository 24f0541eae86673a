"""Where people are in time: their clock and their holidays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.program.context import Context
from services.program.domain.people import Person
from services.program.domain.quiet_times import Clock, Holiday, clock_of, holiday_on, is_known, next_holidays, parts_of
from services.program.mail.zones import zones


@dataclass(frozen=True, slots=True)
class Place:
    """A person's clock and calendar as they count: chosen, or else by their country."""

    person: Person
    clock: Clock
    by_country: Clock
    known: bool
    """Whether holidays are known of the calendar."""
    parts: Sequence[tuple[str, str]]
    """Those of the calendar's country that have holidays of their own."""
    next: Sequence[Holiday]


async def place(context: Context, person: Person, language: str | None, now: datetime) -> Place:
    """Where a person is in time. Of several zones of a country that of a programme of theirs counts."""
    joined = sorted(person.joined)
    programs = await context.programs.get_many(joined) if joined else {}
    of_program = programs[joined[0]].time_zone if joined and joined[0] in programs else "UTC"
    clock = clock_of(person, of_program, zones())
    country = clock_of(replace(person, time_zone=None, holidays=None), of_program, zones())
    today = now.astimezone(ZoneInfo(clock.zone)).date()
    return Place(
        person,
        clock,
        country,
        is_known(clock.calendar),
        parts_of(clock.calendar.partition("-")[0]),
        next_holidays(clock.calendar, today, language or person.locale),
    )


@dataclass(frozen=True, slots=True)
class Off:
    """Readers who have a holiday: whose, what it is called, and how many they are."""

    calendar: str
    name: str
    people: int


async def readers_off(
    context: Context, program_id: str, newsletter_id: str, day: date, language: str | None
) -> list[Off]:
    """Which readers of a newsletter have a holiday on a day, the most first. Raises NotFound."""
    found = await context.newsletters.get(program_id, newsletter_id)
    calendars = await context.segments.calendars_of_recipients(program_id, found.segment)
    off = [
        Off(calendar, name, people)
        for calendar, people in calendars.items()
        if (name := holiday_on(calendar, day, language or "en")) is not None
    ]
    return sorted(off, key=lambda one: (-one.people, one.calendar))
