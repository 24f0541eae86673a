"""Newsletters: written, approved, scheduled, sent, read in the archive."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.principals import Principal
from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, requires, version_of
from chassis.web.times import Day
from services.program import queries
from services.program.api.base import Language, Manager, Steers, Use
from services.program.commands import newsletters
from services.program.domain.newsletters import NewsletterState
from services.program.schemas.newsletters import (
    DraftBody,
    IssuesView,
    IssueView,
    LayoutView,
    NewsletterBody,
    NewslettersView,
    NewsletterView,
    ScheduleBody,
)
from services.program.schemas.places import ReadersOffView

router = Router(prefix="/programs/{program_id}/newsletters", tags=["newsletters"])
Writer = Annotated[Principal, requires("editor", "manager")]


@router.get("", summary="List newsletters", response_model=NewslettersView)
async def list_newsletters(
    program_id: str,
    _: Steers,
    context: Use,
    state: Annotated[NewsletterState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> NewslettersView:
    """A programme's newsletters, the last one first; in one state, or in all."""
    states = (state,) if state else ()
    found, following = await queries.newsletters.page(context, program_id, states, cursor, limit)
    return NewslettersView(items=[NewsletterView.of(one) for one in found], next=following)


@router.post("", summary="Write a newsletter", response_model=NewsletterView, status_code=201)
async def create_newsletter(program_id: str, body: DraftBody, _: Writer, unit: Unit, context: Use) -> Response:
    """A draft, which nobody gets yet. One that was prepared from what happened is announced as `DigestPrepared`."""
    return await unit.run(
        lambda tx: newsletters.create_newsletter(context, tx, program_id, body.values()),
        view=NewsletterView.of,
        status=201,
        etag=version_of,
    )


@router.get("/archive", summary="The archive", response_model=IssuesView)
async def archive(
    program_id: str,
    caller: Person,
    context: Use,
    language: Language = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> IssuesView:
    """What was sent, in the reader's language, the last one first. For the programme's ambassadors: 403
    `not-a-member`."""
    await queries.newsletters.check_reader(context, program_id, caller.id)
    found, following = await queries.newsletters.archive(context, program_id, language, cursor, limit)
    return IssuesView(items=[IssueView.of(one) for one in found], next=following)


@router.get("/archive/{newsletter_id}", summary="A newsletter that was sent", response_model=IssueView)
async def issue(
    program_id: str, newsletter_id: str, caller: Person, context: Use, language: Language = None
) -> IssueView:
    """In the reader's language; for the programme's ambassadors: 403 `not-a-member`."""
    await queries.newsletters.check_reader(context, program_id, caller.id)
    return IssueView.of(await queries.newsletters.issue(context, program_id, newsletter_id, language))


@router.get("/{newsletter_id}", summary="A newsletter", response_model=NewsletterView)
async def get_newsletter(
    program_id: str, newsletter_id: str, _: Steers, context: Use, response: Response
) -> NewsletterView:
    """One newsletter, with the ETag that changing it asks for, and how far its mails are."""
    found, counts, recipients = await queries.newsletters.one(context, program_id, newsletter_id)
    response.headers.update(etag(found.version))
    waiting = await context.mails.waiting(found.id) if found.state == "sending" else {}
    return NewsletterView.of(found, counts, recipients, waiting)


@router.get("/{newsletter_id}/holidays", summary="Readers on holiday", response_model=ReadersOffView)
async def readers_off(
    program_id: str,
    newsletter_id: str,
    _: Steers,
    context: Use,
    day: Annotated[Day, Query()],
    language: Language = None,
) -> ReadersOffView:
    """Which readers have a holiday on a day, and which: theirs arrives the next day that is none, at 8:00."""
    if not context.settings.mail_rest:
        return ReadersOffView(items=[])
    return ReadersOffView.of(await queries.places.readers_off(context, program_id, newsletter_id, day, language))


@router.get("/{newsletter_id}/preview", summary="A newsletter as a mail", response_model=LayoutView)
async def preview(
    program_id: str, newsletter_id: str, _: Steers, context: Use, language: Language = None
) -> LayoutView:
    """As its readers see it: HTML, the same on a dark theme, and the plain text part."""
    found = await queries.newsletters.layout(context, program_id, newsletter_id, language)
    return LayoutView.of(found, f"{context.settings.public_url}/mail/…")


@router.put("/{newsletter_id}", summary="Change a newsletter", response_model=NewsletterView)
async def change_newsletter(
    program_id: str, newsletter_id: str, body: NewsletterBody, _: Writer, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of what it says, under the version that was read (`If-Match`); it has to be approved again. 409
    `newsletter-scheduled` while it is on the schedule, `newsletter-sent` after that."""
    return await unit.run(
        lambda tx: newsletters.change_newsletter(context, tx, program_id, newsletter_id, if_match, body.values()),
        view=NewsletterView.of,
        etag=version_of,
    )


@router.delete("/{newsletter_id}", summary="Delete a newsletter", status_code=204)
async def delete_newsletter(program_id: str, newsletter_id: str, _: Writer, unit: Unit, context: Use) -> Response:
    """One that was not sent. 409 `newsletter-scheduled`, `newsletter-sent`."""
    return await unit.run(lambda tx: newsletters.delete_newsletter(context, tx, program_id, newsletter_id), status=204)


@router.post("/{newsletter_id}/test", summary="Send it to me", status_code=204)
async def send_test(program_id: str, newsletter_id: str, caller: Writer, unit: Unit, context: Use) -> Response:
    """As it is now, to the caller's own address. 409 `mail-off` where no mails are sent from here, `no-address`."""
    return await unit.run(
        lambda tx: newsletters.send_test(context, tx, program_id, newsletter_id, caller.id), status=204
    )


@router.post("/{newsletter_id}/approve", summary="Approve a newsletter", response_model=NewsletterView)
async def approve_newsletter(
    program_id: str, newsletter_id: str, caller: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """It may go as it is: the version that was read (`If-Match`). Repeating it changes nothing."""
    return await unit.run(
        lambda tx: newsletters.approve_newsletter(context, tx, program_id, newsletter_id, if_match, caller.id),
        view=NewsletterView.of,
        etag=version_of,
    )


@router.post("/{newsletter_id}/schedule", summary="Schedule a newsletter", response_model=NewsletterView)
async def schedule_newsletter(
    program_id: str, newsletter_id: str, body: ScheduleBody, _: Manager, unit: Unit, context: Use
) -> Response:
    """Each reader gets it at that hour of their own clock. 409 `newsletter-not-approved`, `no-recipients`,
    `mail-off`. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: newsletters.schedule_newsletter(context, tx, program_id, newsletter_id, body.send_on, body.send_at),
        view=NewsletterView.of,
        etag=version_of,
    )


@router.post("/{newsletter_id}/unschedule", summary="Take it off the schedule", response_model=NewsletterView)
async def unschedule_newsletter(program_id: str, newsletter_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It stays approved. 409 `newsletter-sent` once its mails are made, which begins 14 hours before that hour in UTC.
    Repeating it changes nothing."""
    return await unit.run(
        lambda tx: newsletters.unschedule_newsletter(context, tx, program_id, newsletter_id),
        view=NewsletterView.of,
        etag=version_of,
    )


@router.post("/{newsletter_id}/stop", summary="Stop a newsletter", response_model=NewsletterView)
async def stop_newsletter(program_id: str, newsletter_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Send no more of it, for good; who has it keeps it. 409 `newsletter-not-sending`. Repeating it changes
    nothing."""
    return await unit.run(
        lambda tx: newsletters.stop_newsletter(context, tx, program_id, newsletter_id),
        view=NewsletterView.of,
        etag=version_of,
    )
