"""The secret address of a calendar, and the hand-over notes of a team."""

from __future__ import annotations

import secrets

from chassis import audit
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from services.program.audit import HANDOVER
from services.program.context import Context
from services.program.domain import calendars
from services.program.domain.calendars import Feed, Handover, fingerprint
from services.program.domain.programs import check_active


async def share_calendar(context: Context, tx: Transaction, program_id: str, person_id: str, language: str) -> str:
    """A new secret for a person's own address of the calendar; the one of before leads nowhere from now on. Raises
    NotFound."""
    await context.programs.get(program_id, tx)
    before = await context.calendars.feed_of(program_id, person_id, tx)
    secret = secrets.token_urlsafe(32)
    feed = Feed(fingerprint(secret), program_id, person_id, language, tx.now)
    await context.calendars.replace_feed(before, feed, tx)
    audit.record(tx, "share_calendar", "program", program_id, program_id=program_id)
    return secret


async def unshare_calendar(context: Context, tx: Transaction, program_id: str, person_id: str) -> None:
    """The person's address leads nowhere; repeating changes nothing. Raises NotFound."""
    await context.programs.get(program_id, tx)
    before = await context.calendars.feed_of(program_id, person_id, tx)
    if before is None:
        return audit.nothing_done(tx)
    await context.calendars.replace_feed(before, None, tx)
    return audit.record(tx, "unshare_calendar", "program", program_id, program_id=program_id)


async def write_handover(
    context: Context, tx: Transaction, program_id: str, version: Expected | None, text: str, person_id: str
) -> Handover:
    """Other notes, under their version. Raises NotFound, Conflict `program-archived`, PreconditionRequired,
    StaleVersion."""
    check_active(await context.programs.get(program_id, tx))
    before = await context.calendars.handover(program_id, tx)
    check_version(version, before.version)
    after = calendars.write_handover(before, text, person_id, tx.now)
    if after is not before:
        await context.calendars.save_handover(before, after, tx)
    audit.record(tx, "write_handover", HANDOVER, program_id, before=before, after=after, program_id=program_id)
    return after
