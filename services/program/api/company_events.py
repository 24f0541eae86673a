"""Events: planned, answered, attended by a code, and who spoke."""

from __future__ import annotations

from fastapi import Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Manager, Manages, Use
from services.program.commands import company_events
from services.program.schemas.company_events import (
    CheckInBody,
    EventBody,
    EventsView,
    EventView,
    GuestsView,
    GuestView,
    InvitedsView,
    InvitedView,
    ReplyBody,
)

router = Router(tags=["acts"])
ONE = "/programs/{program_id}/events/{event_id}"


@router.get("/programs/{program_id}/events", summary="List events", response_model=EventsView)
async def list_events(
    program_id: str, _: Manages, context: Use, cursor: Cursor = None, limit: Limit = 50
) -> EventsView:
    """A programme's events, the newest first, with their codes."""
    return EventsView.of(await queries.company_events.page(context, program_id, cursor, limit))


@router.get("/programs/{program_id}/events/upcoming", summary="What is to come", response_model=InvitedsView)
async def upcoming(program_id: str, caller: Person, context: Use) -> InvitedsView:
    """The events to which the programme invites the caller, with what they answered."""
    found = await queries.company_events.upcoming(context, program_id, caller.id)
    return InvitedsView(items=[InvitedView.of(event, mine) for event, mine in found])


@router.post("/programs/{program_id}/events", summary="Plan an event", response_model=EventView, status_code=201)
async def plan(program_id: str, body: EventBody, _: Manager, unit: Unit, context: Use) -> Response:
    """The ambassadors of its audience are invited: 422 `empty-segment` where that names nobody, 409 `no-guests` where
    nobody is there."""
    return await unit.run(
        lambda tx: company_events.plan(context, tx, program_id, body.values()),
        view=EventView.of,
        status=201,
        etag=version_of,
    )


@router.get(ONE, summary="An event", response_model=EventView)
async def get_event(program_id: str, event_id: str, _: Manages, context: Use, response: Response) -> EventView:
    """With the ETag that changing it asks for."""
    event = await context.company_events.get(program_id, event_id)
    response.headers.update(etag(event.version))
    return EventView.of(event, (await context.company_events.counts([event_id])).get(event_id, (0, 0)))


@router.put(ONE, summary="Change an event", response_model=EventView)
async def change(
    program_id: str, event_id: str, body: EventBody, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of it, under the version that was read (`If-Match`). 409 `event-over`, `event-cancelled`,
    `no-guests`."""
    return await unit.run(
        lambda tx: company_events.change(context, tx, program_id, event_id, if_match, body.values()),
        view=EventView.of,
        etag=version_of,
    )


@router.post(f"{ONE}/cancel", summary="Cancel an event", response_model=EventView)
async def cancel(program_id: str, event_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """409 `event-has-guests` once somebody is there. Repeating it changes nothing."""
    return await unit.run(lambda tx: company_events.cancel(context, tx, program_id, event_id), view=EventView.of)


@router.post(f"{ONE}/restore", summary="Take back that an event was cancelled", response_model=EventView)
async def restore(program_id: str, event_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Repeating it changes nothing."""
    return await unit.run(lambda tx: company_events.restore(context, tx, program_id, event_id), view=EventView.of)


@router.post(f"{ONE}/reply", summary="Answer an invitation", status_code=204)
async def reply(program_id: str, event_id: str, body: ReplyBody, caller: Person, unit: Unit, context: Use) -> Response:
    """Whether the caller comes; may be changed. For the ambassadors of its audience: 409 `not-a-member`,
    `not-a-guest`; 409 `event-over`."""
    return await unit.run(
        lambda tx: company_events.reply(context, tx, program_id, event_id, caller.id, coming=body.coming), status=204
    )


@router.get(f"{ONE}/guests", summary="Who comes", response_model=GuestsView)
async def guests(
    program_id: str, event_id: str, _: Manages, context: Use, cursor: Cursor = None, limit: Limit = 50
) -> GuestsView:
    """Who said that they come, and who was there."""
    found, following = await queries.company_events.attendances(context, program_id, event_id, cursor, limit)
    return GuestsView(items=[GuestView.of(one) for one in found], next=following)


@router.post(f"{ONE}/guests/{{person_id}}/speaker", summary="Note who spoke", response_model=GuestView)
async def note_speaker(
    program_id: str, event_id: str, person_id: str, _: Manager, unit: Unit, context: Use
) -> Response:
    """Of those who were there: 409 `not-checked-in`. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: company_events.note_speaker(context, tx, program_id, event_id, person_id), view=GuestView.of
    )


@router.delete(f"{ONE}/guests/{{person_id}}/speaker", summary="Take back who spoke", response_model=GuestView)
async def unnote_speaker(
    program_id: str, event_id: str, person_id: str, _: Manager, unit: Unit, context: Use
) -> Response:
    """Repeating it changes nothing."""
    return await unit.run(
        lambda tx: company_events.unnote_speaker(context, tx, program_id, event_id, person_id), view=GuestView.of
    )


@router.get("/check-ins/{code}", summary="What a code is of", response_model=InvitedView, responses=problems(409))
async def follow_code(code: str, caller: Person, context: Use) -> InvitedView:
    """For the ambassadors of its audience: 409 `not-a-member`, `not-a-guest`."""
    return InvitedView.of(*await queries.company_events.by_code(context, code, caller.id))


@router.post("/check-ins", summary="Check in", response_model=InvitedView, responses=problems(404))
async def check_in(body: CheckInBody, caller: Person, unit: Unit, context: Use) -> Response:
    """The caller is there (`ActRecorded`), from an hour before its beginning: 409 `event-not-open`, `event-over`,
    `event-cancelled`; `not-a-member` for strangers to its programme, `not-a-guest` for whom it is not meant. Repeating
    it changes nothing."""
    return await unit.run(lambda tx: company_events.check_in(context, tx, body.code, caller.id), view=InvitedView.of)
