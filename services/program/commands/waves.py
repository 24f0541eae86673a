"""What becomes of a programme's waves, and who enters their cohorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, Refused, Violation
from herald_contracts.words import CohortLeaveReason
from services.program import event_mapping
from services.program.audit import WAVE
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import waves
from services.program.domain.people import Person
from services.program.domain.programs import check_active, today
from services.program.domain.waves import MAX_WAVES, Decision, Wave
from services.program.store.waves import Filling

AT_ONCE: Final = 200
AGAIN_AFTER: Final = timedelta(seconds=90)
"""Longer than any transaction lasts: whoever joined beside the start of a wave, without seeing it, is there by then."""


async def create_wave(context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]) -> Wave:
    """A planned wave. Raises NotFound, Invalid, Refused `too-many-waves`, Conflict `program-archived`."""
    check_active(await context.programs.get(program_id, tx))
    others = await context.waves.of_program(program_id, tx)
    if len(others) >= MAX_WAVES:
        raise Refused(f"A programme has at most {MAX_WAVES} waves.", type_="too-many-waves", max=MAX_WAVES)
    after = waves.new_wave(new_id(), program_id, others, tx.now, **await _known(context, tx, values))
    await context.waves.insert(after, tx)
    audit.record(tx, "create_wave", WAVE, after.id, after=after, program_id=program_id)
    return after


async def change_wave(
    context: Context,
    tx: Transaction,
    program_id: str,
    wave_id: str,
    version: Expected | None,
    values: Mapping[str, Any],
) -> Wave:
    """Change a wave under its version. Raises NotFound, Invalid, Conflict, PreconditionRequired, StaleVersion."""
    before = await context.waves.get(program_id, wave_id, tx)
    check_version(version, before.version)
    program = check_active(await context.programs.get(program_id, tx))
    others = await _others(context, tx, before)
    known = await _known(context, tx, values)
    after = waves.change_wave(before, others, today(program, tx.now), tx.now, **known)
    if after is not before and after.state == "running" and after.ends_on != before.ends_on:
        tx.emit(event_mapping.cohort_started(after))
    return await save(context.waves, WAVE, tx, "change_wave", before, after)


async def delete_wave(context: Context, tx: Transaction, program_id: str, wave_id: str) -> None:
    """Delete a planned wave. Raises NotFound, Conflict `wave-started`."""
    before = await context.waves.get(program_id, wave_id, tx)
    waves.check_planned(before)
    await context.waves.delete(before, tx)
    audit.record(tx, "delete_wave", WAVE, wave_id, before=before, program_id=program_id)


async def start_wave(context: Context, tx: Transaction, program_id: str, wave_id: str) -> Wave:
    """Start a wave: the first of those who meet its criteria enter at once, the others by `fill`. Repeating changes
    nothing. Raises NotFound, Invalid, Conflict."""
    before = await context.waves.get(program_id, wave_id, tx)
    program = check_active(await context.programs.get(program_id, tx))
    matching = await context.segments.count_for_cohort(before, tx)
    others = await _others(context, tx, before)
    after = waves.start_wave(before, others, matching, today(program, tx.now), tx.now)
    await save(context.waves, WAVE, tx, "start_wave", before, after)
    if after is not before:
        tx.emit(event_mapping.cohort_started(after))
        filling = Filling(wave_id, program_id, "in", again=tx.now + AGAIN_AFTER)
        await context.waves.begin_filling(filling, tx)
        await _look_at_some(context, tx, after, filling)
    return after


async def withdraw_wave(context: Context, tx: Transaction, program_id: str, wave_id: str) -> Wave:
    """Take back that a wave was started; its cohort is emptied, the first of it at once. Repeating changes nothing.
    Raises NotFound, Conflict."""
    before = await context.waves.get(program_id, wave_id, tx)
    after = waves.withdraw_wave(before, tx.now)
    await save(context.waves, WAVE, tx, "withdraw_wave", before, after)
    if after is not before:
        filling = Filling(wave_id, program_id, "out")
        await context.waves.begin_filling(filling, tx)
        await _look_at_some(context, tx, after, filling)
    return after


async def decide_wave(
    context: Context,
    tx: Transaction,
    program_id: str,
    wave_id: str,
    decision: Decision,
    reasons: str,
    decided_by: Sequence[str],
    recorded_by: str,
) -> Wave:
    """Record what was decided after a wave, which ends it; repeating changes nothing. Raises NotFound, Invalid
    (`decided_by.<n>` `unknown` for who is not with the company), Conflict."""
    before = await context.waves.get(program_id, wave_id, tx)
    program = await context.programs.get(program_id, tx)
    await _check_people(context, tx, "decided_by", decided_by)
    day = today(program, tx.now)
    after = waves.decide_wave(before, decision, reasons, decided_by, recorded_by, day, tx.now)
    if after is not before:
        tx.emit(event_mapping.wave_decided(after))
    return await save(context.waves, WAVE, tx, "decide_wave", before, after)


async def reopen_wave(context: Context, tx: Transaction, program_id: str, wave_id: str) -> Wave:
    """Take a decision back; repeating changes nothing. Raises NotFound, Invalid, Conflict."""
    before = await context.waves.get(program_id, wave_id, tx)
    check_active(await context.programs.get(program_id, tx))
    after = waves.reopen_wave(before, await _others(context, tx, before), tx.now)
    if after is not before:
        tx.emit(event_mapping.wave_reopened(after))
    return await save(context.waves, WAVE, tx, "reopen_wave", before, after)


# --- cohorts ------------------------------------------------------------------------------------------------------


async def enter_on_joining(context: Context, tx: Transaction, person: Person, program_id: str) -> None:
    """Put who has just become an ambassador into the cohort that takes them in, if there is one."""
    wave = await context.waves.running(program_id, tx)
    if wave is None:
        return
    program = await context.programs.get(program_id, tx)
    if waves.takes_in(wave, person, today(program, tx.now)):
        await _enter(context, tx, wave, [person.id])


async def leave_cohort(
    context: Context, tx: Transaction, person_id: str, program_id: str, reason: CohortLeaveReason
) -> None:
    """Note that somebody in a cohort is an ambassador no more: they count in its figures still."""
    found = (await context.waves.members(program_id, [person_id], tx)).get(person_id)
    if found is not None and found.left_at is None:
        await context.waves.leave(found, tx)
        tx.emit(event_mapping.cohort_left(found, reason, tx.now))


async def fill(context: Context, tx: Transaction, wave_id: str) -> bool:
    """Go on filling or emptying a cohort; whether there is more to do at once."""
    filling = await context.waves.filling(wave_id, tx)
    if filling is None or (filling.due is not None and filling.due > tx.now):
        return False
    wave = await context.waves.get(filling.program_id, wave_id, tx)
    return await _look_at_some(context, tx, wave, filling)


async def _look_at_some(context: Context, tx: Transaction, wave: Wave, filling: Filling) -> bool:
    """A transaction's part of it; whether there is more to do at once."""
    if filling.direction == "out":
        members = await context.waves.some_members(wave.id, AT_ONCE, tx)
        await context.waves.take_out(members, tx)
        for one in members:
            tx.emit(event_mapping.cohort_left(one, "withdrawn", tx.now))
        if len(members) < AT_ONCE:
            await context.waves.end_filling(wave.id, tx)
        return len(members) == AT_ONCE
    if wave.state != "running":
        await context.waves.end_filling(wave.id, tx)
        return False
    people = await context.segments.for_cohort(wave.program_id, wave.criteria, filling.after, AT_ONCE, tx)
    await _enter(context, tx, wave, people)
    if len(people) == AT_ONCE:
        await context.waves.begin_filling(replace(filling, after=people[-1]), tx)
        return True
    if filling.again is None:
        await context.waves.end_filling(wave.id, tx)
    else:
        await context.waves.begin_filling(replace(filling, after="", due=filling.again, again=None), tx)
    return False


async def _enter(context: Context, tx: Transaction, wave: Wave, people: Sequence[str]) -> None:
    """Put people into a cohort, but for those who are in it, or are or were in another."""
    known = await context.waves.members(wave.program_id, people, tx)
    new = [
        one for one in people if one not in known or (known[one].wave_id == wave.id and known[one].left_at is not None)
    ]
    await context.waves.enter(wave, new, tx)
    for one in new:
        tx.emit(event_mapping.cohort_joined(wave, one, tx.now))


async def _others(context: Context, tx: Transaction, wave: Wave) -> list[Wave]:
    return [one for one in await context.waves.of_program(wave.program_id, tx) if one.id != wave.id]


async def _known(context: Context, tx: Transaction, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with teams as they are spelled here. Raises Invalid `criteria.people.<n>` `unknown`."""
    criteria: waves.Criteria = values["criteria"]
    await _check_people(context, tx, "criteria.people", criteria.people)
    spellings = await context.teams.spellings(criteria.segment.teams)
    teams = tuple(spellings.get(one, one) for one in criteria.segment.teams)
    return {**values, "criteria": replace(criteria, segment=replace(criteria.segment, teams=teams))}


async def _check_people(context: Context, tx: Transaction, field: str, ids: Sequence[str]) -> None:
    known = {one.id for one in await context.people.get_many(ids, tx) if one.active} if ids else set()
    wrong = [
        Violation(f"{field}.{number}", "unknown", "There is no such person with the company.")
        for number, one in enumerate(ids)
        if one not in known
    ]
    if wrong:
        raise Invalid("See `errors` for who is not with the company.", errors=wrong)
