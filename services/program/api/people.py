"""People, for those who manage them; names, for everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from chassis.web.downloads import CSV, csv_download
from chassis.web.http import Acting, Cursor, IfMatch, Limit, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Admin, Manages, NameReader, Steers, Use
from services.program.commands import people
from services.program.domain.people import Filter, Status
from services.program.schemas.people import (
    MAX_GROUPS,
    GroupsView,
    Ids,
    KnownRole,
    Merge,
    NamesView,
    NameView,
    PeopleView,
    PersonChange,
    PersonView,
)

router = Router(tags=["people"])


@router.get("/people", summary="List people", response_model=PeopleView)
async def list_people(
    _: Manages,
    context: Use,
    query: Annotated[
        str | None, Query(max_length=200, description="Beginnings of words of name, e-mail or external id")
    ] = None,
    country: Annotated[str | None, Query(max_length=2)] = None,
    team: Annotated[str | None, Query(max_length=200)] = None,
    role: Annotated[
        KnownRole | None,
        Query(description="Those who hold it everywhere or in a programme (`program_id`, if given)"),
    ] = None,
    program_id: Annotated[
        str | None, Query(max_length=128, description="Those who have to do with a programme")
    ] = None,
    status: Annotated[Status | None, Query(description="What they are in the programme (or in any)")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PeopleView:
    """People by name, those who left the company included."""
    wanted = Filter(query or None, country, team, role, program_id, status)
    found, following, total = await queries.people.page(context, wanted, cursor, limit)
    return PeopleView(items=[PersonView.of(person) for person in found], next=following, total=total)


@router.post("/people/names", summary="Names of people", response_model=NamesView)
async def names(body: Ids, _: NameReader, context: Use) -> NamesView:
    """Events and other services carry ids only. Up to 200 names a request."""
    found = await queries.people.names(context, body.ids)
    return NamesView(names={id: NameView.model_validate(person) for id, person in found.items()})


@router.get("/people/groups", summary="Where people are", response_model=GroupsView)
async def groups(
    _: Steers,
    context: Use,
    program_id: Annotated[str | None, Query(max_length=128, description="Whose ambassadors are counted")] = None,
) -> GroupsView:
    """Countries, teams and sites by name, with how many people of the company are there and how many of them are
    ambassadors of the programme: at most the 1,000 largest of each."""
    return GroupsView.model_validate(await context.headcounts.groups(program_id, MAX_GROUPS))


@router.get(
    "/people/export",
    summary="Export people",
    response_class=StreamingResponse,
    responses=CSV,
)
async def export_people(caller: Manages, acting: Acting, context: Use) -> StreamingResponse:
    """Everybody as CSV, in the columns that an import takes and with the separator of the caller's language. A cell
    that a spreadsheet would run as a formula starts with an apostrophe, which an import removes."""
    await acting.transact(people.export_people)
    return csv_download(queries.people.export(context, caller.locale), "people.csv")


@router.get("/people/{person_id}", summary="A person", response_model=PersonView)
async def get_person(person_id: str, _: Manages, context: Use, response: Response) -> PersonView:
    """One person, with the ETag that changing them asks for."""
    person = await context.people.get(person_id)
    response.headers.update(etag(person.version))
    return PersonView.of(person)


@router.patch("/people/{person_id}", summary="Change a person", response_model=PersonView)
async def update_person(
    person_id: str, body: PersonChange, caller: Admin, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """Roles, leader, team and country, under the version that was read (`If-Match`)."""
    return await unit.run(
        lambda tx: people.update_person(context, tx, person_id, if_match, by=caller.id, **body.values()),
        view=PersonView.of,
        etag=version_of,
    )


@router.post("/people/{person_id}/deactivate", summary="Cut a person off", response_model=PersonView)
async def deactivate(person_id: str, caller: Admin, unit: Unit, context: Use) -> Response:
    """The person left the company: no token lets them in any more, anywhere, and they leave every programme."""
    return await unit.run(
        lambda tx: people.deactivate(context, tx, person_id, by=caller.id),
        view=PersonView.of,
        etag=version_of,
    )


@router.post("/people/{person_id}/reactivate", summary="Let a person in again", response_model=PersonView)
async def reactivate(person_id: str, _: Admin, unit: Unit, context: Use) -> Response:
    """The person is back, with the roles they had. Within seven days they are also an ambassador again where they were
    one (`AmbassadorJoined`), in a break as they were; after that they join again themselves. 409 `merged` for one who
    is another by now."""
    return await unit.run(lambda tx: people.reactivate(context, tx, person_id), view=PersonView.of, etag=version_of)


@router.post("/people/{person_id}/merge", summary="Two persons are one", response_model=PersonView)
async def merge(person_id: str, body: Merge, caller: Admin, unit: Unit, context: Use, if_match: IfMatch) -> Response:
    """Who signed in as `other_id` is this person from now on, under the version that was read (`If-Match`). The other
    one leaves every programme and is cut off for good; their roles are not taken over, and what they did stays theirs.

    409: `same-person`, `inactive` (merge into the active one), `merged`. 422 `own-account`. Repeating it changes
    nothing."""
    return await unit.run(
        lambda tx: people.merge(context, tx, person_id, body.other_id, if_match, by=caller.id),
        view=PersonView.of,
        etag=version_of,
    )
