"""The read side: pages of people and programmes, texts in the reader's language, the caller's own state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.mongo import Transaction
from chassis.spreadsheet import BOM, csv_lines, delimiter
from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import ForeignCursor, NotFound
from herald_contracts.base import in_utc
from services.program.context import Context
from services.program.domain import audit
from services.program.domain.audit import Act, ActFilter
from services.program.domain.people import EXPORTED, Filter, Person, Segment, Status, exported
from services.program.domain.programs import Objective, Program, Text, TextKind, choose_language
from services.program.store.people import position

EXPORT_PAGE = 500
VIEWING = ("admin", "manager")
"""Roles by which one sees the data of persons."""


@dataclass(frozen=True, slots=True)
class Me:
    """A person with the programmes that they have to do with, by id."""

    person: Person
    programs: Mapping[str, Program]


async def me(context: Context, person: Person, tx: Transaction | None = None) -> Me:
    ids = [one.program_id for one in person.memberships]
    return Me(person, await context.programs.get_many(ids, tx) if ids else {})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who sees a person's data, by one of their roles; in one programme, or (None) everywhere."""

    person: Person
    role: str
    program_id: str | None = None


async def viewers(context: Context, person: Person, limit: int) -> tuple[list[Viewer], bool]:
    """Who sees data of a person by their role, by role and name, and whether there are more."""
    found = await context.people.with_grants(VIEWING, limit + 1)
    mine = {one.program_id for one in person.memberships}
    viewers = [Viewer(one, role) for one in found[:limit] for role in VIEWING if role in one.grants]
    viewers += [
        Viewer(one, grant.role, grant.program_id)
        for one in found[:limit]
        for grant in one.program_grants
        if grant.role in VIEWING and grant.role not in one.grants and grant.program_id in mine
    ]
    return sorted(viewers, key=lambda one: VIEWING.index(one.role)), len(found) > limit


async def people_page(
    context: Context, wanted: Filter, cursor: str | None, limit: int
) -> tuple[list[Person], str | None, int]:
    """People by name, the cursor of the next page, and how many there are on all. Raises Invalid."""
    after = _texts(decode_cursor(cursor), 2)
    if wanted.team is not None:
        spellings = await context.teams.spellings([wanted.team])
        wanted = replace(wanted, team=spellings.get(wanted.team, wanted.team))
    found = await context.people.page(wanted, after, limit + 1)
    more = len(found) > limit
    total = await context.people.count(wanted)
    return found[:limit], encode_cursor(position(found[limit - 1])) if more else None, total


async def export_people(context: Context, language: str) -> AsyncIterator[str]:
    """Everybody as CSV, in the columns that an import takes: safe to open in a spreadsheet of that language."""
    sign = delimiter(language)
    yield BOM + csv_lines([EXPORTED], sign)
    after: list[str] | None = None
    while found := await context.people.page(Filter(), after, EXPORT_PAGE):
        yield csv_lines([exported(person) for person in found], sign)
        after = position(found[-1])


async def programs_page(context: Context, cursor: str | None, limit: int) -> tuple[list[Program], str | None]:
    """Programmes, oldest first, and the cursor of the next page. Raises Invalid."""
    after = _texts(decode_cursor(cursor), 1)
    found = await context.programs.page(after[0] if after else None, limit + 1)
    more = len(found) > limit
    return found[:limit], encode_cursor([found[limit - 1].id]) if more else None


def _texts(position: Any, count: int) -> list[str] | None:
    if position is None:
        return None
    if not isinstance(position, list) or len(position) != count or not all(isinstance(one, str) for one in position):
        raise ForeignCursor
    return position


async def names(context: Context, ids: Iterable[str]) -> dict[str, Person]:
    """The people with these ids, by id; unknown ids are left out."""
    return {person.id: person for person in await context.people.get_many(ids)}


async def resolve(context: Context, named: Iterable[str]) -> dict[str, str]:
    """Ids of people by external id, or else by e-mail address in any case."""
    wanted = {one: one.strip() for one in named}
    found = await context.people.named(wanted.values())
    by_id = {person.external_id: person.id for person in found if person.external_id}
    by_email = {person.email: person.id for person in found if person.email}
    ids = {one: by_id.get(name) or by_email.get(name.lower()) for one, name in wanted.items()}
    return {one: id for one, id in ids.items() if id is not None}


async def latest_text(context: Context, program_id: str, kind: TextKind, language: str | None) -> tuple[Text, str]:
    """The version in force, and its language for this reader. Raises NotFound."""
    program = await context.programs.get(program_id)
    version = program.consent_version if kind == "consent" else program.guidelines_version
    text = await context.programs.text(program_id, kind, version)
    return text, choose_language(text.texts, language, program.languages)


async def objective(context: Context, program_id: str) -> Objective:
    """Raises NotFound."""
    found = await context.programs.find_objective(program_id)
    if found is None:
        raise NotFound("objective of programme", program_id)
    return found


async def ambassadors(
    context: Context, program_id: str, status: Status | None, query: str | None, cursor: str | None, limit: int
) -> tuple[dict[Status, int], list[Person], str | None, int]:
    """How many people have each status in a programme; a page of those with one, the cursor of the next, and how many
    there are on all. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    counts = await context.people.count_by_status(program_id)
    wanted = Filter(query=query, program_id=program_id, status=status)
    return counts, *await people_page(context, wanted, cursor, limit)


async def audience(context: Context, program_id: str, segment: Segment) -> int:
    """How many ambassadors of the programme are in a segment, however its teams are spelled. Raises NotFound."""
    await context.programs.get(program_id)
    spellings = await context.teams.spellings(segment.teams)
    teams = tuple(spellings.get(team, team) for team in segment.teams)
    return await context.people.count_ambassadors(program_id, replace(segment, teams=teams))


async def acts_page(
    context: Context, wanted: ActFilter, cursor: str | None, limit: int
) -> tuple[list[Act], str | None]:
    """Acts of the audit trail, newest first, and the cursor of the next page. Raises Invalid."""
    found = await context.audit_trail.page(wanted, _moment(decode_cursor(cursor)), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], encode_cursor([last.occurred_at.isoformat(), last.id]) if last else None


def _moment(position: Any) -> tuple[datetime, str] | None:
    texts = _texts(position, 2)
    if texts is None:
        return None
    try:
        return in_utc(datetime.fromisoformat(texts[0])), texts[1]
    except ValueError:
        raise ForeignCursor from None


async def export_acts(context: Context, wanted: ActFilter, language: str) -> AsyncIterator[str]:
    """Acts of the audit trail as CSV: safe to open in a spreadsheet of that language."""
    sign = delimiter(language)
    yield BOM + csv_lines([audit.COLUMNS], sign)
    before: tuple[datetime, str] | None = None
    while found := await context.audit_trail.page(wanted, before, EXPORT_PAGE):
        yield csv_lines((line for act in found for line in audit.exported(act)), sign)
        before = found[-1].occurred_at, found[-1].id
