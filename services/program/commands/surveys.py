"""What becomes of a programme's surveys, and answering one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, overload

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, NotFound, Refused
from services.program import event_mapping
from services.program.audit import SURVEY
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import memberships, surveys, waves
from services.program.domain.people import Segment
from services.program.domain.programs import Program, check_active, today
from services.program.domain.surveys import MAX_DRAFTS, NEAR_DAYS, Answer, Crowd, Survey
from services.program.domain.waves import Wave


async def create_survey(context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]) -> Survey:
    """A draft. Raises NotFound, Conflict `program-archived`, Invalid, Refused `too-many-drafts`."""
    program = check_active(await context.programs.get(program_id, tx))
    await _wave(context, tx, program_id, values["wave_id"])
    if await context.surveys.count_drafts(program_id, tx) >= MAX_DRAFTS:
        raise Refused(f"At most {MAX_DRAFTS} surveys are drafts.", type_="too-many-drafts", max=MAX_DRAFTS)
    after = surveys.new_survey(new_id(), program, tx.now, **values)
    await context.surveys.insert(after, tx)
    audit.record(tx, "create_survey", SURVEY, after.id, after=after, program_id=program_id)
    return after


async def change_survey(
    context: Context,
    tx: Transaction,
    program_id: str,
    survey_id: str,
    version: Expected | None,
    values: Mapping[str, Any],
) -> Survey:
    """Change a draft under its version. Raises NotFound, Invalid, Conflict, PreconditionRequired, StaleVersion."""
    before = await context.surveys.get(program_id, survey_id, tx)
    check_version(version, before.version)
    program = check_active(await context.programs.get(program_id, tx))
    await _wave(context, tx, program_id, values["wave_id"])
    after = surveys.change_survey(before, program, tx.now, **values)
    return await save(context.surveys, SURVEY, tx, "change_survey", before, after)


async def delete_survey(context: Context, tx: Transaction, program_id: str, survey_id: str) -> None:
    """Delete a draft. Raises NotFound, Conflict `survey-not-a-draft`."""
    before = await context.surveys.get(program_id, survey_id, tx)
    surveys.check_draft(before)
    await context.surveys.delete(before, tx)
    audit.record(tx, "delete_survey", SURVEY, survey_id, before=before, program_id=program_id)


async def open_survey(context: Context, tx: Transaction, program_id: str, survey_id: str) -> Survey:
    """Ask it of all ambassadors, or of those of its wave; repeating changes nothing. Raises NotFound, Invalid,
    Conflict."""
    before = await context.surveys.get(program_id, survey_id, tx)
    program = check_active(await context.programs.get(program_id, tx))
    crowd = await _crowd(context, tx, program, before)
    after = surveys.open_survey(before, program, crowd, context.settings.small_group, tx.now)
    if after is not before:
        await context.surveys.begin(after, tx)
    return await save(context.surveys, SURVEY, tx, "open_survey", before, after)


async def withdraw_survey(context: Context, tx: Transaction, program_id: str, survey_id: str) -> Survey:
    """Make it a draft again, and forget what was answered; repeating changes nothing. Raises NotFound, Conflict."""
    before = await context.surveys.get(program_id, survey_id, tx)
    after = surveys.withdraw_survey(before, tx.now)
    if after is not before:
        await context.surveys.end(survey_id, tx)
        await context.surveys.forget(survey_id, tx)
        await context.surveys.forget_answered(survey_id, tx)
    return await save(context.surveys, SURVEY, tx, "withdraw_survey", before, after)


async def close_survey(context: Context, tx: Transaction, program_id: str, survey_id: str) -> Survey:
    """Take no more answers; of too few, nothing is kept. Repeating changes nothing. Raises NotFound, Conflict."""
    before = await context.surveys.get(program_id, survey_id, tx)
    after = surveys.close_survey(before, tx.now)
    if after is not before:
        tally = await context.surveys.end(survey_id, tx)
        found = surveys.results(after, tally, context.settings.small_group)
        if not found.shown:
            await context.surveys.forget(survey_id, tx)
        tx.emit(event_mapping.survey_closed(after, found))
    return await save(context.surveys, SURVEY, tx, "close_survey", before, after)


async def answer_survey(
    context: Context, tx: Transaction, program_id: str, survey_id: str, person_id: str, answer: Answer
) -> None:
    """Count an answer, and note that this person gave one. Raises NotFound, Invalid, Conflict: `not-a-member`,
    `not-in-wave`, `program-archived`, `survey-not-open`, `already-answered`."""
    survey = await context.surveys.get(program_id, survey_id, tx)
    program = check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(person_id, tx), program_id)
    member = (await context.waves.members(program_id, [person_id], tx)).get(person_id)
    surveys.check_answer(survey, answer, member, today(program, tx.now))
    await context.surveys.note_answered(survey_id, person_id, tx)
    await context.surveys.add(survey_id, answer, tx)


async def announce_answered(context: Context, tx: Transaction, survey: Survey, limit: int) -> bool:
    """Tell of some who answered a closed survey that they did, and forget it; whether there was somebody."""
    people = await context.surveys.take_answered(survey.id, limit, tx)
    for person_id in people:
        tx.emit(event_mapping.feedback_submitted(survey, person_id))
    return bool(people)


async def _crowd(context: Context, tx: Transaction, program: Program, survey: Survey) -> Crowd:
    """How many the survey asks, and whom its results and those near to it in time would leave over together."""
    program_id, least = program.id, context.settings.small_group
    if survey.wave_id is None:
        asked = await context.segments.count_ambassadors(program_id, Segment())
    else:
        wave = await _wave(context, tx, program_id, survey.wave_id)
        waves.check_started(wave)
        asked = await context.waves.count_staying(wave.id, tx)
    near = await context.surveys.shown_since(today(program, tx.now) - timedelta(days=NEAR_DAYS), program_id, tx)
    apart = surveys.subtracted(survey, near)
    return Crowd(asked, await context.segments.count_outside(program_id, sorted(apart), least, tx) if apart else 0)


@overload
async def _wave(context: Context, tx: Transaction, program_id: str, wave_id: str) -> Wave: ...
@overload
async def _wave(context: Context, tx: Transaction, program_id: str, wave_id: str | None) -> Wave | None: ...
async def _wave(context: Context, tx: Transaction, program_id: str, wave_id: str | None) -> Wave | None:
    """The wave that a survey asks. Raises Invalid `wave_id` `unknown`."""
    if wave_id is None:
        return None
    try:
        return await context.waves.get(program_id, wave_id, tx)
    except NotFound:
        raise Invalid.one("wave_id", "unknown", "The programme has no such wave.") from None
