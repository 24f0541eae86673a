"""The team's calendar, its secret address, and its hand-over notes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from chassis.web.http import IfMatch, Router, Unit, etag, version_of
from chassis.web.rights import FOR_ANYONE
from chassis.web.statuses import problems
from chassis.web.times import Day
from services.program import queries
from services.program.api.base import Language, Team, Use
from services.program.commands import calendars
from services.program.schemas.calendars import (
    CalendarView,
    FeedBody,
    FeedView,
    HandoverBody,
    HandoverView,
    SecretView,
)

router = Router(tags=["team"])
HANDOVER = "/programs/{program_id}/handover"


@router.get("/programs/{program_id}/calendar", summary="What happens when", response_model=CalendarView)
async def calendar(
    program_id: str,
    _: Team,
    context: Use,
    first: Annotated[Day, Query(alias="from")],
    to: Annotated[Day, Query(description="Included; at most 400 days in all")],
    language: Language = None,
) -> CalendarView:
    """Tasks, objectives, surveys, lessons, waves and newsletters, by day. Content is another service's."""
    return CalendarView.of(await queries.calendars.calendar(context, program_id, first, to, language))


@router.get("/programs/{program_id}/calendar/feed", summary="Whether I have an address", response_model=FeedView)
async def get_feed(program_id: str, caller: Team, context: Use) -> FeedView:
    """One's own secret address of the calendar, since when; the secret itself is nowhere kept."""
    await context.programs.get(program_id)
    return FeedView.of(await context.calendars.feed_of(program_id, caller.id))


@router.post(
    "/programs/{program_id}/calendar/feed", summary="Have a secret address", response_model=SecretView, status_code=201
)
async def share_calendar(program_id: str, body: FeedBody, caller: Team, unit: Unit, context: Use) -> Response:
    """For a calendar program, which signs in nowhere: a new secret, told this once. The one of before leads nowhere
    from now on, and neither does this one where its owner leaves the team."""
    return await unit.run(
        lambda tx: calendars.share_calendar(context, tx, program_id, caller.id, body.language),
        view=lambda secret: SecretView(secret=secret),
        status=201,
        keyed=False,
    )


@router.delete("/programs/{program_id}/calendar/feed", summary="Give the address up", response_model=FeedView)
async def unshare_calendar(program_id: str, caller: Team, unit: Unit, context: Use) -> Response:
    """It leads nowhere from now on. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: calendars.unshare_calendar(context, tx, program_id, caller.id), view=lambda _: FeedView.of(None)
    )


@router.get(
    "/calendars/{secret}",
    summary="The calendar of a secret address",
    response_model=CalendarView,
    dependencies=[FOR_ANYONE],
    responses=problems(404),
)
async def secret_calendar(secret: Annotated[str, Path(max_length=100)], context: Use) -> CalendarView:
    """Sixty days back and eleven months to come, for whoever has the secret."""
    return CalendarView.of(await queries.calendars.of_secret(context, secret))


@router.get(HANDOVER, summary="Hand-over notes", response_model=HandoverView)
async def get_handover(program_id: str, _: Team, context: Use, response: Response) -> HandoverView:
    """What whoever takes the programme over should know, with the ETag that changing it asks for."""
    await context.programs.get(program_id)
    found = await context.calendars.handover(program_id)
    response.headers.update(etag(found.version))
    return HandoverView.model_validate(found)


@router.put(HANDOVER, summary="Write hand-over notes", response_model=HandoverView)
async def write_handover(
    program_id: str, body: HandoverBody, caller: Team, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of the notes, under the version that was read (`If-Match`)."""
    return await unit.run(
        lambda tx: calendars.write_handover(context, tx, program_id, if_match, body.text, caller.id),
        view=HandoverView.model_validate,
        etag=version_of,
    )
