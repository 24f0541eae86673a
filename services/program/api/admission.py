"""Coming into a programme of one's own accord: links, applications; and who takes part against who there is."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.mongo import Transaction
from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Language, Manager, Manages, Use
from services.program.commands import admission
from services.program.domain.links import LinkState
from services.program.schemas.admission import (
    AdmissionChange,
    AdmissionView,
    Application,
    ApplicationsView,
    DeparturesView,
    FollowedView,
    LinksView,
    LinkView,
    NewLink,
)
from services.program.schemas.diversity import DiversityView
from services.program.schemas.me import MeView
from services.program.schemas.programs import AmbassadorView

router = Router(tags=["coming in"])
Named = Annotated[str | None, Query(max_length=200, description="Beginnings of words")]


@router.get("/programs/{program_id}/admission", summary="How people come in", response_model=AdmissionView)
async def get_admission(program_id: str, _: Person, context: Use, response: Response) -> AdmissionView:
    """Whether people may put themselves forward and what they are asked then, with the ETag that changing it asks
    for."""
    await context.programs.get(program_id)
    found = await context.admissions.get(program_id)
    response.headers.update(etag(found.version))
    return AdmissionView.of(found)


@router.put("/programs/{program_id}/admission", summary="Change how people come in", response_model=AdmissionView)
async def change_admission(
    program_id: str, body: AdmissionChange, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of it, under the version that was read (`If-Match`; `"0"` where nobody set it yet)."""
    return await unit.run(
        lambda tx: admission.change_admission(context, tx, program_id, if_match, dict(body)),
        view=AdmissionView.of,
        etag=version_of,
    )


@router.get("/programs/{program_id}/invitation-links", summary="List invitation links", response_model=LinksView)
async def list_links(
    program_id: str,
    _: Manages,
    context: Use,
    query: Named = None,
    state: Annotated[LinkState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LinksView:
    """The last one first, each with how many people followed it."""
    found, following, total = await queries.admission.page(context, program_id, query or None, state, cursor, limit)
    return LinksView(items=[LinkView.of(one) for one in found], next=following, total=total)


@router.post(
    "/programs/{program_id}/invitation-links",
    summary="Make an invitation link",
    response_model=LinkView,
    status_code=201,
)
async def create_link(program_id: str, body: NewLink, caller: Manager, unit: Unit, context: Use) -> Response:
    """Whoever of the company follows it is invited, or puts themselves forward where it asks for approval: nobody takes
    part before they say so themselves."""
    return await unit.run(
        lambda tx: admission.create_link(context, tx, program_id, caller.id, dict(body)),
        view=LinkView.unfollowed,
        status=201,
    )


@router.get("/programs/{program_id}/invitation-links/{link_id}", summary="An invitation link", response_model=LinkView)
async def get_link(program_id: str, link_id: str, _: Manages, context: Use) -> LinkView:
    """One link, with how many people followed it."""
    return LinkView.of(await queries.admission.link(context, program_id, link_id))


@router.post(
    "/programs/{program_id}/invitation-links/{link_id}/withdraw",
    summary="Withdraw an invitation link",
    response_model=LinkView,
)
async def withdraw_link(program_id: str, link_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It leads nowhere any more; who followed it stays. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: admission.withdraw_link(context, tx, program_id, link_id), view=LinkView.unfollowed
    )


@router.post(
    "/programs/{program_id}/invitation-links/{link_id}/reopen",
    summary="Open an invitation link again",
    response_model=LinkView,
)
async def reopen_link(program_id: str, link_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Posters that hang still lead to the programme again. Repeating it changes nothing."""
    return await unit.run(lambda tx: admission.reopen_link(context, tx, program_id, link_id), view=LinkView.unfollowed)


@router.get(
    "/invitation-links/{token}",
    summary="What a link leads to",
    response_model=FollowedView,
    responses=problems(409),
)
async def followed(token: str, _: Person, context: Use, language: Language = None) -> FollowedView:
    """For anybody of the company who has the link. 409: `link-closed` where it was withdrawn or is over,
    `program-archived`."""
    return FollowedView.of(*await queries.admission.followed(context, token), language)


@router.post("/invitation-links/{token}/follow", summary="Follow a link", response_model=MeView)
async def follow(token: str, body: Application, caller: Person, unit: Unit, context: Use) -> Response:
    """The caller is invited, or puts themselves forward where the link asks for approval. Joining is another act.
    Repeating it changes nothing."""

    async def command(tx: Transaction) -> queries.people.Me:
        person = await admission.follow_link(context, tx, token, caller.id, body.answers)
        return await queries.people.me(context, person, tx)

    return await unit.run(command, view=MeView.of)


@router.post("/programs/{program_id}/apply", summary="Put oneself forward", response_model=MeView)
async def apply(program_id: str, body: Application, caller: Person, unit: Unit, context: Use) -> Response:
    """Where the programme wants it (403 `no-nominations`); a manager decides. Repeating it changes nothing."""

    async def command(tx: Transaction) -> queries.people.Me:
        person = await admission.apply(context, tx, program_id, caller.id, body.answers)
        return await queries.people.me(context, person, tx)

    return await unit.run(command, view=MeView.of)


@router.post("/programs/{program_id}/withdraw-application", summary="Take an application back", response_model=MeView)
async def withdraw_application(program_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """As long as it is not decided. Repeating it changes nothing."""

    async def command(tx: Transaction) -> queries.people.Me:
        person = await admission.withdraw_application(context, tx, program_id, caller.id)
        return await queries.people.me(context, person, tx)

    return await unit.run(command, view=MeView.of)


@router.get(
    "/programs/{program_id}/applications", summary="Who put themselves forward", response_model=ApplicationsView
)
async def applications(
    program_id: str, _: Manages, context: Use, query: Named = None, cursor: Cursor = None, limit: Limit = 50
) -> ApplicationsView:
    """Those who wait for an answer, by name, with what they said."""
    found = await queries.admission.applications(context, program_id, query or None, cursor, limit)
    return ApplicationsView.of(program_id, *found)


@router.post(
    "/programs/{program_id}/ambassadors/{person_id}/approve",
    summary="Approve an application",
    response_model=AmbassadorView,
)
async def approve(program_id: str, person_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """They are invited (`AmbassadorInvited`), and join themselves. 409 `not-applied`. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: admission.approve(context, tx, program_id, person_id),
        view=lambda person: AmbassadorView.of(person, program_id),
    )


@router.post(
    "/programs/{program_id}/ambassadors/{person_id}/reject",
    summary="Turn an application down",
    response_model=AmbassadorView,
)
async def reject(program_id: str, person_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """They may still be invited, also by approving them later. 409 `not-applied`. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: admission.reject(context, tx, program_id, person_id),
        view=lambda person: AmbassadorView.of(person, program_id),
    )


@router.get("/programs/{program_id}/departures", summary="Why people leave", response_model=DeparturesView)
async def departures(program_id: str, _: Manages, context: Use) -> DeparturesView:
    """How often each reason was given for a pause and for leaving."""
    await context.programs.get(program_id)
    return DeparturesView.of(await context.admissions.departures(program_id), context.settings.small_group)


@router.get("/programs/{program_id}/diversity", summary="Who takes part", response_model=DiversityView)
async def diversity(program_id: str, _: Manages, context: Use) -> DiversityView:
    """Ambassadors against everybody with the company, by what they do, their level, country and site; and whom to
    invite next."""
    return DiversityView.of(await queries.admission.diversity_of(context, program_id), context.settings.small_group)
