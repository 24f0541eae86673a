"""What becomes of a programme's newsletters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Refused
from services.program import event_mapping
from services.program.audit import NEWSLETTER
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import mails, newsletters
from services.program.domain.newsletters import MAX_OPEN, Newsletter
from services.program.domain.programs import check_active
from services.program.mail.zones import zones
from services.program.store.mails import new_token

EXPANDED_AT_ONCE: Final = 500


async def create_newsletter(
    context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]
) -> Newsletter:
    """A draft, announced where it was prepared from what happened. Raises NotFound, Invalid, Conflict
    `program-archived`, Refused `too-many-newsletters`."""
    program = check_active(await context.programs.get(program_id, tx))
    if await context.newsletters.count_open(program_id, tx) >= MAX_OPEN:
        raise Refused(f"At most {MAX_OPEN} newsletters wait.", type_="too-many-newsletters", max=MAX_OPEN)
    after = newsletters.new_newsletter(new_id(), program, tx.now, **values)
    await context.newsletters.insert(after, tx)
    if after.period_first and after.period_last:
        tx.emit(event_mapping.digest_prepared(after, after.period_first, after.period_last))
    audit.record(tx, "create_newsletter", NEWSLETTER, after.id, after=after, program_id=program_id)
    return after


async def change_newsletter(
    context: Context,
    tx: Transaction,
    program_id: str,
    newsletter_id: str,
    version: Expected | None,
    values: Mapping[str, Any],
) -> Newsletter:
    """Change what was not sent, under its version; it has to be approved again. Raises NotFound, Invalid, Conflict,
    PreconditionRequired, StaleVersion."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    check_version(version, before.version)
    program = check_active(await context.programs.get(program_id, tx))
    after = newsletters.change(before, program, tx.now, **values)
    return await save(context.newsletters, NEWSLETTER, tx, "change_newsletter", before, after)


async def delete_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> None:
    """Delete what was not sent. Raises NotFound, Conflict."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    newsletters.check_deletable(before)
    await context.newsletters.delete(before, tx)
    audit.record(tx, "delete_newsletter", NEWSLETTER, newsletter_id, before=before, program_id=program_id)


async def approve_newsletter(
    context: Context, tx: Transaction, program_id: str, newsletter_id: str, version: Expected | None, by: str
) -> Newsletter:
    """Say that the version that was read may go as it is; repeating changes nothing. Raises NotFound, Conflict,
    PreconditionRequired, StaleVersion."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    if before.state == "draft":
        check_version(version, before.version)
    after = newsletters.approve(before, by, tx.now)
    return await save(context.newsletters, NEWSLETTER, tx, "approve_newsletter", before, after)


async def schedule_newsletter(
    context: Context, tx: Transaction, program_id: str, newsletter_id: str, send_on: date, send_at: str
) -> Newsletter:
    """Have an approved one sent at that hour of each reader's clock. Raises NotFound, Invalid, Conflict: also
    `mail-off` where no mails are sent from here, `no-recipients`."""
    if not context.settings.sends_mail:
        raise Conflict("No mails are sent from here: HERALD_SMTP_HOST is not set.", type_="mail-off")
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    program = check_active(await context.programs.get(program_id, tx))
    count = await context.segments.count_recipients(program_id, before.segment, tx)
    after = newsletters.schedule(before, program, count, send_on, send_at, tx.now)
    return await save(context.newsletters, NEWSLETTER, tx, "schedule_newsletter", before, after)


async def unschedule_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> Newsletter:
    """Take it off the schedule; repeating changes nothing. Raises NotFound, Conflict."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    return await save(
        context.newsletters, NEWSLETTER, tx, "unschedule_newsletter", before, newsletters.unschedule(before, tx.now)
    )


async def stop_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> Newsletter:
    """Send no more of it, for good; repeating changes nothing. Raises NotFound, Conflict."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    after = newsletters.stop(before, tx.now)
    if after is not before:
        await context.mails.skip_due(before.id, tx.now, tx)
        after = replace(after, counts=await context.mails.counts(before.id, tx))
        tx.emit(event_mapping.newsletter_sent(after))
    return await save(context.newsletters, NEWSLETTER, tx, "stop_newsletter", before, after)


async def send_test(context: Context, tx: Transaction, program_id: str, newsletter_id: str, person_id: str) -> None:
    """Send it as it is to the one who asks. Raises NotFound, Conflict `mail-off`, `no-address`."""
    if not context.settings.sends_mail:
        raise Conflict("No mails are sent from here: HERALD_SMTP_HOST is not set.", type_="mail-off")
    newsletter = await context.newsletters.get(program_id, newsletter_id, tx)
    if (await context.people.get(person_id, tx)).email is None:
        raise Conflict("Your account has no address.", type_="no-address")
    mail = mails.new_mail(
        "newsletter", program_id, newsletter.id, person_id, token=new_token(), due_at=tx.now, now=tx.now
    )
    await context.mails.add([replace(mail, id=f"test:{new_id()}", test=True)], tx)
    audit.record(tx, "test_newsletter", "newsletter", newsletter_id, program_id=program_id, facts={})


# --- what the clock does ------------------------------------------------------------------------------------------


async def begin_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> Newsletter | None:
    """Begin to make mails of one whose time has come; None where it was taken off the schedule meanwhile."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    if not newsletters.may_begin(before, tx.now):
        return None
    after = newsletters.begin(before, tx.now)
    await context.newsletters.save(before, after, tx)
    return after


async def expand_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> bool:
    """Make mails for some more of its readers; whether there may be others."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    if before.state != "sending" or before.expanded:
        return False
    program = await context.programs.get(program_id, tx)
    people = await context.segments.recipients(program_id, before.segment, before.reached, EXPANDED_AT_ONCE, tx)
    found = [
        mails.new_mail(
            "newsletter",
            program_id,
            before.id,
            person.id,
            token=new_token(),
            due_at=newsletters.due_at(before, person, program, zones()),
            now=tx.now,
        )
        for person in people
    ]
    await context.mails.add(found, tx)
    last = people[-1].id if len(people) == EXPANDED_AT_ONCE else None
    await context.newsletters.save(before, newsletters.expand(before, last, tx.now), tx)
    return last is not None


async def finish_newsletter(context: Context, tx: Transaction, program_id: str, newsletter_id: str) -> bool:
    """Close one of which every mail is over; whether it was."""
    before = await context.newsletters.get(program_id, newsletter_id, tx)
    counts = await context.mails.counts(before.id, tx)
    if before.state != "sending" or not before.expanded or counts.get("due"):
        return False
    after = newsletters.finish(before, counts, tx.now)
    await context.newsletters.save(before, after, tx)
    tx.emit(event_mapping.newsletter_sent(after))
    return True
