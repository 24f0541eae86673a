"""A programme's calendar, from what its parts say of their days.

Each part is a row of `SOURCES`; whoever builds a further one adds a row, and its word in the hub (`calendar_kind`).
Content belongs to another service: the hub adds it to its page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chassis.web.problems import NotFound
from services.program.context import Context
from services.program.domain.calendars import FEED_DAYS, Entry, check_days, fingerprint
from services.program.domain.programs import Program, choose_language, today
from services.program.domain.tasks import on_team

NEWSLETTERS: Final = 100
"""So many of the latest are looked at."""
Source = Callable[[Context, Program, date, date, str | None], Awaitable[list[Entry]]]


async def _tasks(context: Context, program: Program, first: date, last: date, _: str | None) -> list[Entry]:
    found = await context.tasks.due(program.id, first, last)
    return [Entry(one.due_on, "task", one.title, one.id, one.owner_id, one.state == "done") for one in found]


async def _objectives(context: Context, program: Program, first: date, last: date, _: str | None) -> list[Entry]:
    found = [one for one in await context.objectives.within(program.id, first, last) if one.state != "withdrawn"]
    starts = [Entry(one.starts_on, "objective_starts", one.title or one.kpi, one.id, one.owner_id) for one in found]
    return starts + [Entry(one.ends_on, "objective_ends", one.title or one.kpi, one.id, one.owner_id) for one in found]


async def _surveys(context: Context, program: Program, first: date, last: date, _: str | None) -> list[Entry]:
    found = await context.surveys.within(program.id, first, last)
    opens = [Entry(one.opens_on, "survey_opens", one.title, one.id) for one in found]
    return opens + [Entry(one.closes_on, "survey_closes", one.title, one.id) for one in found]


async def _lessons(context: Context, program: Program, _: date, __: date, language: str | None) -> list[Entry]:
    zone, entries = ZoneInfo(program.time_zone), []
    for one in await context.lessons.readable(program.id):
        texts = one.latest.texts
        title = texts[choose_language(texts, language, tuple(texts))].title
        if one.published_at:
            entries.append(Entry(one.published_at.astimezone(zone).date(), "lesson", title, one.id))
    return entries


async def _waves(context: Context, program: Program, _: date, __: date, ___: str | None) -> list[Entry]:
    found = await context.waves.of_program(program.id)
    starts = [Entry(one.starts_on, "wave_starts", one.name, one.id) for one in found]
    return starts + [Entry(one.last_day, "wave_ends", one.name, one.id) for one in found]


async def _newsletters(context: Context, program: Program, _: date, __: date, language: str | None) -> list[Entry]:
    """Those that are scheduled or were sent, on the day of their readers."""
    entries = []
    for one in await context.newsletters.page(program.id, ("scheduled", "sending", "sent"), None, NEWSLETTERS):
        if one.send_on is not None:
            subject = one.subjects[choose_language(one.subjects, language, tuple(one.subjects))]
            entries.append(Entry(one.send_on, "newsletter", subject, one.id))
    return entries


SOURCES: Final[tuple[Source, ...]] = (_tasks, _objectives, _surveys, _lessons, _waves, _newsletters)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The entries of some days, by day."""

    program: Program
    first: date
    last: date
    entries: list[Entry]
    language: str | None = None


async def calendar(context: Context, program_id: str, first: date, last: date, language: str | None) -> Calendar:
    """What happens on these days, both included. Raises NotFound, Invalid."""
    check_days(first, last)
    return await _read(context, await context.programs.get(program_id), first, last, language)


async def _read(context: Context, program: Program, first: date, last: date, language: str | None) -> Calendar:
    found = await asyncio.gather(*(source(context, program, first, last, language) for source in SOURCES))
    entries = [one for some in found for one in some if first <= one.day <= last]
    entries.sort(key=lambda one: (one.day, one.kind, one.title, one.id))
    return Calendar(program, first, last, entries, language)


async def of_secret(context: Context, secret: str) -> Calendar:
    """The calendar that a secret address leads to, while whoever made it is on the team. Raises NotFound."""
    feed = await context.calendars.find_feed(fingerprint(secret))
    if feed is None:
        raise NotFound("calendar", "of this address")
    found = await context.people.get_many([feed.person_id])
    if not found or not on_team(found[0], feed.program_id):
        raise NotFound("calendar", "of this address")
    program = await context.programs.get(feed.program_id)
    now = today(program, context.clock.now())
    first, last = now - timedelta(days=FEED_DAYS[0]), now + timedelta(days=FEED_DAYS[1])
    return await _read(context, program, first, last, feed.language)
