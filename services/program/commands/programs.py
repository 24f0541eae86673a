"""Programmes, their texts, and who takes part in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Invalid, NotFound
from herald_contracts import Event
from services.program import event_mapping
from services.program.audit import PROGRAM, TEXTS
from services.program.commands import mails, waves
from services.program.commands.admission import add_departure
from services.program.commands.leaving import let_go
from services.program.commands.pictures import replace_picture
from services.program.context import Context
from services.program.domain import memberships, programs
from services.program.domain.admission import DepartureReason
from services.program.domain.guidelines import Rules
from services.program.domain.people import Person, Segment
from services.program.domain.programs import Program, Text, TextKind
from services.program.domain.quizzes import Judged, Question, judge

LOOK = "look"
"""By this name a programme uses its picture."""


async def create_program(
    context: Context,
    tx: Transaction,
    *,
    name: str,
    time_zone: str,
    languages: Sequence[str],
    consent: Mapping[str, str],
    open: bool,
) -> Program:
    """A programme with the first version of its consent. Raises Invalid."""
    programs.check_languages(consent, languages, "consent")
    bare = Program(
        id=new_id(),
        version=0,
        name=name,
        time_zone=time_zone,
        languages=tuple(languages),
        open=open,
        consent_version=0,
        guidelines_version=0,
        material_version=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    program, text = programs.publish_text(bare, "consent", consent, material=True, now=tx.now)
    await context.programs.insert(program, tx)
    await context.programs.insert_text(text, tx)
    tx.emit(event_mapping.program_created(program))
    audit.record(tx, "create_program", PROGRAM, program.id, after=program, program_id=program.id)
    return program


async def change_program(
    context: Context, tx: Transaction, program_id: str, version: Expected | None, values: Mapping[str, Any]
) -> Program:
    """Another name, colour or picture, who may join, or what it hopes for from leaders; a picture that it shows no more
    is deleted. Raises NotFound, Invalid, Conflict, PreconditionRequired, StaleVersion."""
    before = await context.programs.get(program_id, tx)
    check_version(version, before.version)
    after = programs.change_program(before, tx.now, **values)
    if after is not before:
        await _show_picture(context, tx, before, after)
        tx.emit(event_mapping.program_changed(after))
    return await _save_program(context, tx, "change_program", before, after)


async def _show_picture(context: Context, tx: Transaction, before: Program, after: Program) -> None:
    try:
        await replace_picture(context, tx, after.id, before.picture_id, after.picture_id, LOOK)
    except NotFound:
        raise Invalid.one("picture_id", "unknown", "There is no such picture: send it once more.") from None


async def archive_program(context: Context, tx: Transaction, program_id: str) -> Program:
    """End a programme: nothing is shared under it any more, nobody is invited and nobody joins; repeating changes
    nothing. Raises NotFound."""
    before = await context.programs.get(program_id, tx)
    after = programs.archive_program(before, tx.now)
    if after is not before:
        tx.emit(event_mapping.program_archived(after))
    return await _save_program(context, tx, "archive_program", before, after)


async def restore_program(context: Context, tx: Transaction, program_id: str) -> Program:
    """Take back that a programme ended: invitations wait again, and its ambassadors go on; repeating changes nothing.
    Raises NotFound."""
    before = await context.programs.get(program_id, tx)
    after = programs.restore_program(before, tx.now)
    if after is not before:
        tx.emit(event_mapping.program_restored(after))
    return await _save_program(context, tx, "restore_program", before, after)


async def _save_program(context: Context, tx: Transaction, act: str, before: Program, after: Program) -> Program:
    if after is not before:
        await context.programs.save(before, after, tx)
    audit.record(tx, act, PROGRAM, after.id, before=before, after=after, program_id=after.id)
    return after


async def publish_text(
    context: Context,
    tx: Transaction,
    program_id: str,
    kind: TextKind,
    texts: Mapping[str, str],
    *,
    material: bool = True,
    rules: Mapping[str, Rules] | None = None,
    quiz: Mapping[str, tuple[Question, ...]] | None = None,
) -> Text:
    """The next version of the consent or the guidelines. Raises NotFound, Invalid."""
    before = await context.programs.get(program_id, tx)
    after, text = programs.publish_text(before, kind, texts, material=material, now=tx.now, rules=rules, quiz=quiz)
    await context.programs.save(before, after, tx)
    await context.programs.insert_text(text, tx)
    if kind == "guidelines":
        tx.emit(event_mapping.guideline_published(text))
    audit.record(tx, f"publish_{kind}", TEXTS[kind], program_id, after=text, program_id=program_id)
    return text


SHOWN = 20
"""Of those who are or would be invited, so many are told by name."""


@dataclass(frozen=True, slots=True)
class Invited:
    """How many were invited, how many were not (by reason), how many could still be, and the first of them by name."""

    invited: int
    skipped: Mapping[str, int]
    remaining: int = 0
    batch_id: str | None = None
    people: Sequence[Person] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How many invitations were taken back, and how many had been answered."""

    withdrawn: int
    answered: int


async def invite_people(
    context: Context, tx: Transaction, program_id: str, ids: Sequence[str], *, dry_run: bool = False
) -> Invited:
    """Invite those of the people who may be invited, or say whom that would be. Raises NotFound for the programme."""
    programs.check_active(await context.programs.get(program_id, tx))
    wanted = set(ids)
    found = await context.people.get_many(wanted, tx)
    reasons = [memberships.why_not_invite(person, program_id) for person in found]
    chosen = [person for person, why in zip(found, reasons, strict=True) if why is None]
    skipped = Counter(["unknown"] * (len(wanted) - len(found)) + [why for why in reasons if why])
    batch_id = await _invite(context, tx, program_id, chosen, dry_run, named=len(wanted))
    return Invited(len(chosen), skipped, batch_id=batch_id, people=_first(chosen))


async def invite_segment(
    context: Context, tx: Transaction, program_id: str, segment: Segment, limit: int, *, dry_run: bool = False
) -> Invited:
    """Invite up to `limit` people of a segment, of those who were never asked, or say whom that would be. Raises
    NotFound for the programme."""
    programs.check_active(await context.programs.get(program_id, tx))
    spellings = await context.teams.spellings(segment.teams)
    segment = replace(segment, teams=tuple(spellings.get(team, team) for team in segment.teams))
    skipped, free = await context.segments.count_segment(program_id, segment, tx)
    chosen = await context.segments.invitable(program_id, segment, limit, tx)
    batch_id = await _invite(context, tx, program_id, chosen, dry_run, segment=segment, limit=limit)
    return Invited(len(chosen), skipped, free - len(chosen), batch_id, _first(chosen))


def _first(chosen: Sequence[Person]) -> list[Person]:
    return sorted(chosen, key=lambda person: (person.name, person.id))[:SHOWN]


async def _invite(
    context: Context, tx: Transaction, program_id: str, chosen: Sequence[Person], dry_run: bool, **asked: Any
) -> str | None:
    """The batch by which the invitations can be withdrawn together; None where nobody was invited."""
    if dry_run:
        tx.audited = True  # There is no act to tell of.
        return None
    batch_id = new_id() if chosen else None
    changed = [(person, memberships.invite(person, program_id, new_id(), tx.now, batch_id)) for person in chosen]
    await context.people.write(tx, changed=changed)
    for before, person in changed:
        await _forget_application(context, tx, before, program_id)
        tx.emit(event_mapping.ambassador_invited(person, program_id))
    told = [(str(person.in_program(program_id).invitation_id), person) for _, person in changed]
    await mails.notify(context, tx, "invitation", program_id, told)
    facts = {**asked, "invited": len(chosen)}
    audit.record(tx, "invite_people", "program", program_id, program_id=program_id, facts=facts)
    return batch_id


async def withdraw_batch(context: Context, tx: Transaction, program_id: str, batch_id: str) -> Withdrawn:
    """Take back what one act invited, as far as nobody answered; repeating changes nothing. Raises NotFound."""
    invited = await context.people.of_batch(program_id, batch_id, tx)
    if not invited:
        raise NotFound("batch of invitations", batch_id)
    waiting = [person for person in invited if person.in_program(program_id).status == "invited"]
    await _withdraw(context, tx, program_id, waiting, batch_id=batch_id)
    return Withdrawn(len(waiting), len(invited) - len(waiting))


async def withdraw_invitation(context: Context, tx: Transaction, program_id: str, person_id: str) -> Withdrawn:
    """Take back one person's invitation, which they have not answered. Raises NotFound, Conflict `not-invited`."""
    await context.programs.get(program_id, tx)
    person = await context.people.get(person_id, tx)
    membership = person.membership(program_id)
    if membership is None or membership.status != "invited":
        raise Conflict("They have no invitation that waits for an answer.", type_="not-invited")
    await _withdraw(context, tx, program_id, [person], person_id=person_id)
    return Withdrawn(1, 0)


async def _withdraw(
    context: Context, tx: Transaction, program_id: str, waiting: Sequence[Person], **asked: Any
) -> None:
    changed = [(person, memberships.withdraw_invitation(person, program_id, tx.now)) for person in waiting]
    await context.people.write(tx, changed=changed)
    for person in waiting:
        tx.emit(event_mapping.invitation_withdrawn(person, program_id, tx.now))
    facts = {**asked, "withdrawn": len(waiting)}
    audit.record(tx, "withdraw_invitations", "program", program_id, program_id=program_id, facts=facts)


async def join(context: Context, tx: Transaction, program_id: str, person_id: str, consent_version: int) -> Person:
    """Become an ambassador by accepting the consent; repeating changes nothing. Raises Conflict, Forbidden."""
    program = programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    after = memberships.join(before, program, consent_version, tx.now)
    if after is not before:
        await context.people.record_consent(after, program_id, consent_version, tx)
    if program_id in before.joined:
        return await _save(context, tx, before, after)
    await _save(context, tx, before, after, event_mapping.ambassador_joined(after, program_id, tx.now))
    await _forget_application(context, tx, before, program_id)
    await waves.enter_on_joining(context, tx, after, program_id)
    return after


async def _forget_application(context: Context, tx: Transaction, before: Person, program_id: str) -> None:
    membership = before.membership(program_id)
    if membership is not None and membership.status == "applied":
        await context.admissions.forget_answers(program_id, before.id, tx)


async def decline(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Turn an invitation down for good; repeating changes nothing. Raises Conflict."""
    programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    return await _save(context, tx, before, memberships.decline(before, program_id, tx.now))


async def reconsider(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Take back having declined: the invitation waits again. Repeating changes nothing. Raises Conflict."""
    programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    return await _save(context, tx, before, memberships.reconsider(before, program_id, tx.now))


async def leave(
    context: Context, tx: Transaction, program_id: str, person_id: str, reason: DepartureReason | None = None
) -> Person:
    """Stop being an ambassador; repeating changes nothing. Raises Conflict."""
    await context.programs.get(program_id, tx)
    before = await context.people.get(person_id, tx)
    after = memberships.leave(before, program_id, tx.now)
    await let_go(context, tx, person_id, program_id, "left")
    if reason is not None and after is not before:
        await add_departure(context, tx, program_id, "leave", reason)
    return await _save(context, tx, before, after, event_mapping.ambassador_left(after, program_id, "left", tx.now))


async def pause(
    context: Context, tx: Transaction, program_id: str, person_id: str, reason: DepartureReason | None = None
) -> Person:
    """Take a break as an ambassador; repeating changes nothing. Raises NotFound, Conflict."""
    await context.programs.get(program_id, tx)
    before = await context.people.get(person_id, tx)
    after = memberships.pause(before, program_id, tx.now)
    if reason is not None and after is not before:
        await add_departure(context, tx, program_id, "pause", reason)
    return await _save(context, tx, before, after, event_mapping.ambassador_paused(after, program_id, tx.now))


async def resume(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Come back from a pause; repeating changes nothing. Raises NotFound, Conflict."""
    programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    after = memberships.resume(before, program_id, tx.now)
    return await _save(context, tx, before, after, event_mapping.ambassador_resumed(after, program_id, tx.now))


async def acknowledge(context: Context, tx: Transaction, program_id: str, person_id: str, version: int) -> Person:
    """Say that a version of the guidelines was read; repeating changes nothing. Raises NotFound, Conflict; Conflict
    `quiz-required` where their quiz has to be passed."""
    program = programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    after = memberships.acknowledge(before, program, version, tx.now)
    if memberships.must_acknowledge(before.in_program(program_id), program):
        text = await context.programs.text(program_id, "guidelines", version, tx)
        if text.quiz:
            raise Conflict("These guidelines are acknowledged by answering their quiz.", type_="quiz-required")
    return await _acknowledge(context, tx, program_id, version, before, after)


async def answer_quiz(
    context: Context,
    tx: Transaction,
    program_id: str,
    person_id: str,
    version: int,
    *,
    language: str,
    answers: Sequence[Set[int]],
) -> Judged:
    """Judge what somebody answered to the quiz of guidelines; with all right, they are acknowledged. One may try as
    often as one likes, and wrong answers leave no trace. Raises NotFound, Invalid, Conflict as `acknowledge` does;
    Conflict `guidelines-superseded` for a language that they do not have."""
    program = programs.check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    after = memberships.acknowledge(before, program, version, tx.now)
    text = await context.programs.text(program_id, "guidelines", version, tx)
    if language not in text.texts:
        raise Conflict("The guidelines are not in this language: read them again.", type_="guidelines-superseded")
    judged = judge(text.quiz.get(language, ()), answers)
    if judged.passed:
        await _acknowledge(context, tx, program_id, version, before, after)
    return judged


async def _acknowledge(
    context: Context, tx: Transaction, program_id: str, version: int, before: Person, after: Person
) -> Person:
    fact = event_mapping.guideline_acknowledged(after, program_id, version, tx.now)
    return await _save(context, tx, before, after, fact)


async def _save(context: Context, tx: Transaction, before: Person, after: Person, *facts: Event) -> Person:
    """Write a person and emit the facts, and their roles if these changed too."""
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        for fact in facts:
            tx.emit(fact)
        if after.roles != before.roles:
            tx.emit(event_mapping.person_updated(after))
    return after
