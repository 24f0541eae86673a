"""Programmes: their texts, and who is invited."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Language, Manager, Manages, ProgramReader, Steers, Use
from services.program.commands import programs
from services.program.domain.people import Segment, Status
from services.program.domain.programs import Text
from services.program.schemas.guidelines import (
    GuidelinesView,
    NewConsent,
    NewGuidelines,
    TextView,
    WrittenGuidelinesView,
)
from services.program.schemas.programs import (
    AmbassadorsView,
    Audience,
    AudienceView,
    Invitations,
    InvitedView,
    NewProgram,
    ProgramChange,
    ProgramsView,
    ProgramView,
    WithdrawnView,
)

router = Router(tags=["programmes"])


@router.post("/programs", summary="Create a programme", response_model=ProgramView, status_code=201)
async def create_program(body: NewProgram, _: Manager, unit: Unit, context: Use) -> Response:
    """A programme with the first version of its consent, in each of its languages."""
    return await unit.run(
        lambda tx: programs.create_program(context, tx, **dict(body)),
        view=ProgramView.model_validate,
        status=201,
        etag=version_of,
    )


@router.get("/programs", summary="List programmes", response_model=ProgramsView)
async def list_programs(_: ProgramReader, context: Use, cursor: Cursor = None, limit: Limit = 50) -> ProgramsView:
    """All programmes, oldest first."""
    found, following = await queries.programs.page(context, cursor, limit)
    return ProgramsView(items=[ProgramView.model_validate(one) for one in found], next=following)


@router.get("/programs/{program_id}", summary="A programme", response_model=ProgramView)
async def get_program(program_id: str, _: ProgramReader, context: Use, response: Response) -> ProgramView:
    """One programme, with the ETag that changing it asks for."""
    program = await context.programs.get(program_id)
    response.headers.update(etag(program.version))
    return ProgramView.model_validate(program)


@router.patch("/programs/{program_id}", summary="Change a programme", response_model=ProgramView)
async def change_program(
    program_id: str, body: ProgramChange, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """Its name, its colour, its picture, who may join, and how many posts it hopes for from each leader, under the
    version that was read (`If-Match`). 422 `contrast` with a `suggestion` for a colour that can hardly be seen on one
    of the themes."""
    return await unit.run(
        lambda tx: programs.change_program(context, tx, program_id, if_match, body.values()),
        view=ProgramView.model_validate,
        etag=version_of,
    )


@router.post("/programs/{program_id}/archive", summary="End a programme", response_model=ProgramView)
async def archive_program(program_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Nothing is shared under it any more, nobody is invited, no invitation is answered, no lesson is completed and no
    survey answered (409 `program-archived`); its figures stay. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: programs.archive_program(context, tx, program_id),
        view=ProgramView.model_validate,
        etag=version_of,
    )


@router.post("/programs/{program_id}/restore", summary="Take back that a programme ended", response_model=ProgramView)
async def restore_program(program_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It goes on as it was: ambassadors share, invitations wait. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: programs.restore_program(context, tx, program_id),
        view=ProgramView.model_validate,
        etag=version_of,
    )


@router.get("/programs/{program_id}/consent", summary="The consent", response_model=TextView)
async def get_consent(program_id: str, _: ProgramReader, context: Use, language: Language = None) -> TextView:
    """The version in force, which joining accepts."""
    return TextView.of(*await queries.programs.latest_text(context, program_id, "consent", language))


@router.post("/programs/{program_id}/consent", summary="Publish a consent", response_model=TextView, status_code=201)
async def publish_consent(program_id: str, body: NewConsent, _: Manager, unit: Unit, context: Use) -> Response:
    """A new version in each language of the programme. Who joined under another one stays."""
    return await unit.run(
        lambda tx: programs.publish_text(context, tx, program_id, "consent", body.texts), view=_in_first, status=201
    )


@router.get("/programs/{program_id}/guidelines", summary="The guidelines", response_model=GuidelinesView)
async def get_guidelines(program_id: str, _: ProgramReader, context: Use, language: Language = None) -> GuidelinesView:
    """The version in force, in the reader's language."""
    return GuidelinesView.of(*await queries.programs.latest_text(context, program_id, "guidelines", language))


@router.get(
    "/programs/{program_id}/guidelines/written",
    summary="The guidelines as they are written",
    response_model=WrittenGuidelinesView,
)
async def get_written_guidelines(program_id: str, _: Manager, context: Use) -> WrittenGuidelinesView:
    """The version in force in all its languages, with the right answers of its quiz."""
    text, _language = await queries.programs.latest_text(context, program_id, "guidelines", None)
    return WrittenGuidelinesView.model_validate(text)


@router.post(
    "/programs/{program_id}/guidelines", summary="Publish guidelines", response_model=GuidelinesView, status_code=201
)
async def publish_guidelines(program_id: str, body: NewGuidelines, _: Manager, unit: Unit, context: Use) -> Response:
    """A new version in each language of the programme. The first one is always material. With a quiz, ambassadors
    acknowledge a material version by answering it."""
    return await unit.run(
        lambda tx: programs.publish_text(context, tx, program_id, "guidelines", **body.values()),
        view=lambda text: GuidelinesView.of(text, next(iter(text.texts))),
        status=201,
    )


def _in_first(text: Text) -> TextView:
    return TextView.of(text, next(iter(text.texts)))


@router.post("/programs/{program_id}/invitations", summary="Invite people", response_model=InvitedView)
async def invite(program_id: str, body: Invitations, _: Manager, unit: Unit, context: Use) -> Response:
    """Invites persons, or people of a segment who were never asked; with `dry_run`, says whom that would be. Nobody
    takes part before they say so themselves, and who declined is never asked again."""
    if body.people is not None:
        ids = body.people
        return await unit.run(
            lambda tx: programs.invite_people(context, tx, program_id, ids, dry_run=body.dry_run),
            view=InvitedView.model_validate,
        )
    order = body.segment
    assert order is not None  # either is there
    names = ("countries", "teams", "sites", "jobs", "levels")
    segment = Segment(leaders_only=order.leaders_only, **{name: tuple(getattr(order, name)) for name in names})
    return await unit.run(
        lambda tx: programs.invite_segment(context, tx, program_id, segment, body.limit, dry_run=body.dry_run),
        view=InvitedView.model_validate,
    )


@router.post(
    "/programs/{program_id}/invitations/{batch_id}/withdraw",
    summary="Withdraw the invitations of one act",
    response_model=WithdrawnView,
)
async def withdraw_batch(program_id: str, batch_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Takes back what was not answered yet; those people may be invited again. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: programs.withdraw_batch(context, tx, program_id, batch_id), view=WithdrawnView.model_validate
    )


@router.post(
    "/programs/{program_id}/ambassadors/{person_id}/withdraw",
    summary="Withdraw one invitation",
    response_model=WithdrawnView,
)
async def withdraw(program_id: str, person_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Takes back an invitation that was not answered yet. 409 `not-invited` where there is none."""
    return await unit.run(
        lambda tx: programs.withdraw_invitation(context, tx, program_id, person_id), view=WithdrawnView.model_validate
    )


@router.post("/programs/{program_id}/audience", summary="How many a group is", response_model=AudienceView)
async def audience(program_id: str, body: Audience, _: Steers, context: Use) -> AudienceView:
    """How many ambassadors have one of the countries, one of the teams and one of the sites; an empty list leaves that
    open, as the targeting of an item does."""
    segment = Segment(tuple(body.countries), tuple(body.teams), sites=tuple(body.sites))
    found = await queries.programs.audience(context, program_id, segment)
    return AudienceView(ambassadors=found)


@router.get("/programs/{program_id}/ambassadors", summary="Who takes part", response_model=AmbassadorsView)
async def ambassadors(
    program_id: str,
    _: Manages,
    context: Use,
    status: Annotated[Status | None, Query()] = None,
    query: Annotated[
        str | None, Query(max_length=200, description="Beginnings of words of name, e-mail or external id")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AmbassadorsView:
    """How many people applied, are invited, joined, declined, were rejected and left; and who, by name."""
    found = await queries.programs.ambassadors(context, program_id, status, query or None, cursor, limit)
    return AmbassadorsView.of(program_id, *found)
