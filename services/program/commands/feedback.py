"""Questions to compliance and comments on the programme: written, answered, taken back."""

from __future__ import annotations

from collections.abc import Mapping

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import NotFound
from services.program.audit import FEEDBACK
from services.program.context import Context
from services.program.domain import feedback, memberships, programs
from services.program.domain.feedback import Feedback, FeedbackKind, Said


async def send_feedback(
    context: Context,
    tx: Transaction,
    program_id: str,
    person_id: str,
    *,
    kind: FeedbackKind,
    text: str,
    language: str,
    item_id: str | None = None,
) -> Feedback:
    """What an ambassador asks or says. Raises NotFound, Conflict `not-a-member`, `program-archived`,
    `too-many-waiting`."""
    programs.check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(person_id, tx), program_id)
    feedback.check_room(await context.feedback.count_waiting(program_id, person_id, tx))
    written = Feedback(
        id=new_id(),
        program_id=program_id,
        version=1,
        kind=kind,
        person_id=person_id,
        language=language,
        text=text,
        created_at=tx.now,
        updated_at=tx.now,
        item_id=item_id,
    )
    await context.feedback.insert(written, tx)
    return written


async def answer_feedback(
    context: Context,
    tx: Transaction,
    program_id: str,
    id: str,
    version: Expected | None,
    by: str,
    *,
    answer: str,
    public: Mapping[str, Said],
    done: bool,
) -> Feedback:
    """Answer it, or answer it differently; in public too, or no more. Raises NotFound, Invalid, PreconditionRequired,
    StaleVersion."""
    program = await context.programs.get(program_id, tx)
    before = await context.feedback.get(program_id, id, tx)
    check_version(version, before.version)
    after = feedback.answer_feedback(before, program.languages, by, tx.now, answer=answer, public=public, done=done)
    if after is not before:
        await context.feedback.save(before, after, tx)
    audit.record(tx, "answer_feedback", FEEDBACK, id, before=before, after=after, program_id=program_id)
    return after


async def take_back_feedback(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> None:
    """Forget what a person wrote; what was said of it in public stays, and names nobody. Raises NotFound where it is
    not theirs."""
    before = await context.feedback.get(program_id, id, tx)
    if before.person_id != person_id:
        raise NotFound("feedback", id)
    after = feedback.take_back(before, tx.now)
    if after is None:
        await context.feedback.delete(before, tx)
    else:
        await context.feedback.save(before, after, tx)


async def see_answers(context: Context, tx: Transaction, program_id: str, person_id: str) -> None:
    """A person has seen what they were answered; repeating changes nothing."""
    await context.feedback.set_seen(program_id, person_id, tx.now, tx)
