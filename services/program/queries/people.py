"""Pages of people, names by id, the caller's own state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace

from chassis.mongo import Transaction
from chassis.spreadsheet import BOM, csv_lines, delimiter
from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.people import EXPORTED, Filter, Person, exported
from services.program.domain.programs import Program
from services.program.queries.cursors import EXPORT_PAGE, texts_of
from services.program.store.people import position

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


async def page(
    context: Context, wanted: Filter, cursor: str | None, limit: int
) -> tuple[list[Person], str | None, int]:
    """People by name, the cursor of the next page, and how many there are on all. Raises Invalid."""
    after = texts_of(decode_cursor(cursor), 2)
    if wanted.team is not None:
        spellings = await context.teams.spellings([wanted.team])
        wanted = replace(wanted, team=spellings.get(wanted.team, wanted.team))
    found = await context.people.page(wanted, after, limit + 1)
    more = len(found) > limit
    total = await context.people.count(wanted)
    return found[:limit], encode_cursor(position(found[limit - 1])) if more else None, total


async def export(context: Context, language: str) -> AsyncIterator[str]:
    """Everybody as CSV, in the columns that an import takes: safe to open in a spreadsheet of that language."""
    sign = delimiter(language)
    yield BOM + csv_lines([EXPORTED], sign)
    after: list[str] | None = None
    while found := await context.people.page(Filter(), after, EXPORT_PAGE):
        yield csv_lines([exported(person) for person in found], sign)
        after = position(found[-1])


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
