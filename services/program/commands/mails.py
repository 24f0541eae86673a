"""What people want of mails, what is told to them one by one, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from chassis.mongo import Transaction
from chassis.web.problems import NotFound
from services.program.context import Context
from services.program.domain import mails
from services.program.domain.lessons import Lesson
from services.program.domain.mails import KINDS, Reader
from services.program.domain.people import Person, Segment
from services.program.domain.programs import Program
from services.program.domain.waves import Wave
from services.program.mail.message import address_digest
from services.program.mail.reports import Report
from services.program.store.mails import new_token

REMIND_AFTER: Final = timedelta(days=7)
REMINDED_AT_ONCE: Final = 500
TAKEN_BACK: Final = timedelta(minutes=1)
"""For how long a message on a page offers to undo what was done, and more."""


async def silence(context: Context, tx: Transaction, token: str, kind: str, program_id: str) -> Program:
    """Send the reader of a token no more of a kind; repeating changes nothing. Raises NotFound."""
    reader, program = await _of_token(context, tx, token, kind, program_id)
    await context.mails.save_reader(mails.silence(reader, kind, program_id), tx)
    return program


async def unsilence(context: Context, tx: Transaction, token: str, kind: str, program_id: str) -> Program:
    """Take that back; repeating changes nothing. Raises NotFound."""
    reader, program = await _of_token(context, tx, token, kind, program_id)
    await context.mails.save_reader(mails.unsilence(reader, kind, program_id), tx)
    return program


async def choose_mail(
    context: Context, tx: Transaction, person_id: str, kind: str, program_id: str, *, wanted: bool
) -> Reader:
    """A person's own choice; repeating changes nothing. Raises NotFound."""
    _check_kind(kind)
    await context.programs.get(program_id, tx)
    reader = await context.mails.reader(person_id, tx)
    after = (mails.unsilence if wanted else mails.silence)(reader, kind, program_id)
    await context.mails.save_reader(after, tx)
    return after


async def take_report(context: Context, tx: Transaction, report: Report | None) -> bool:
    """Note what came back of a mail; whether it was of a mail that is known. A mail to nobody and a complaint end all
    mail to that address; a delay changes nothing, nor does what came before, by whichever way."""
    mail = await context.mails.by_token(report.token, tx) if report else None
    if report is None or mail is None:
        return False
    if report.kind == "delay" or not await context.mails.note_report(report.id, tx):
        return True
    if report.kind == "bounce":
        await context.mails.mark_returned(mail, report.code, tx)
        if report.gone:
            for person in await context.people.get_many([mail.person_id], tx):
                if person.email:
                    await context.mails.note_bounced(person.id, address_digest(person.email), tx)
        return True
    await context.mails.note_complained(mail.person_id, tx.now, tx)
    return True


async def notify(
    context: Context, tx: Transaction, kind: str, program_id: str, subject_ids: Sequence[tuple[str, Person]]
) -> int:
    """Tell people of something by mail, once for each subject: (what it is about, to whom). How many have an address;
    none where no mails are sent from here. They are due a little later: what is taken back at once tells nobody."""
    if not context.settings.sends_mail:
        return 0
    found = [
        mails.new_mail(
            kind, program_id, subject_id, person.id, token=new_token(), due_at=tx.now + TAKEN_BACK, now=tx.now
        )
        for subject_id, person in subject_ids
        if person.email and person.active
    ]
    await context.mails.add(found, tx)
    return len(found)


async def remind_of_lesson(context: Context, tx: Transaction, lesson: Lesson, after: str | None) -> str | None:
    """Remind some of the ambassadors, after a person's id, of a lesson that they could complete for a week; each is
    reminded once. The last of them where there may be others."""
    people = await context.segments.recipients(lesson.program_id, Segment(), after, REMINDED_AT_ONCE, tx)
    done = await context.lessons.completed_among(lesson.id, [one.id for one in people], tx)
    memberships = [(one, one.in_program(lesson.program_id)) for one in people if one.id not in done]
    due = [
        (lesson.id, person)
        for person, membership in memberships
        if membership.since <= tx.now - REMIND_AFTER and membership.paused_since is None
    ]
    await notify(context, tx, "lesson-reminder", lesson.program_id, due)
    return people[-1].id if len(people) == REMINDED_AT_ONCE else None


async def remind_of_wave(context: Context, tx: Transaction, wave: Wave, after: str) -> str | None:
    """Remind some of a wave's cohort, after a member's id, of its end; each is reminded once, and who entered within
    the last week is not. The last of them where there may be others."""
    members = await context.waves.members_after(wave.id, after, REMINDED_AT_ONCE, tx)
    people = {one.id: one for one in await context.people.get_many([one.person_id for one in members], tx)}
    due = [
        (wave.id, people[one.person_id])
        for one in members
        if one.person_id in people
        and one.entered_at <= tx.now - REMIND_AFTER
        and wave.program_id in people[one.person_id].joined
        and people[one.person_id].in_program(wave.program_id).paused_since is None
    ]
    await notify(context, tx, "wave-reminder", wave.program_id, due)
    return members[-1].id if len(members) == REMINDED_AT_ONCE else None


async def _of_token(
    context: Context, tx: Transaction, token: str, kind: str, program_id: str
) -> tuple[Reader, Program]:
    _check_kind(kind)
    reader = await context.mails.reader_by_token(token, tx)
    if reader is None:
        raise NotFound("reader", "of this link")
    present = await context.people.present_id(reader.id, tx)
    if present != reader.id:
        reader = await context.mails.reader(present, tx)
    return reader, await context.programs.get(program_id, tx)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise NotFound("kind of mail", kind)
