"""Surveys as managers and ambassadors see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain import memberships, surveys
from services.program.domain.programs import choose_language, today
from services.program.domain.surveys import Results, Survey, SurveyState, Tally
from services.program.queries.cursors import texts_of

MAX_TREND = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """The survey that runs, in one language; whether the reader has answered it; and the name of the wave that it
    asks, None where it asks the whole programme."""

    survey: Survey
    language: str
    answered: bool
    wave: str | None


async def page(
    context: Context, program_id: str, query: str | None, state: SurveyState | None, cursor: str | None, limit: int
) -> tuple[list[Survey], str | None, int]:
    """Surveys of a programme, the last one first, the cursor of the next page, and how many there are. Raises NotFound,
    Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 2)
    found = await context.surveys.page(program_id, state, after, limit + 1, query)
    total = await context.surveys.count(program_id, state, query)
    if len(found) <= limit:
        return found, None, total
    last = found[limit - 1]
    return found[:limit], encode_cursor([last.opens_on.isoformat(), last.id]), total


async def running(context: Context, program_id: str, person_id: str, language: str | None) -> Asked | None:
    """What an ambassador is asked now. Raises NotFound, Conflict `not-a-member`."""
    program = await context.programs.get(program_id)
    memberships.joined(await context.people.get(person_id), program_id)
    survey = await context.surveys.find_open(program_id)
    if program.archived_at or survey is None or not surveys.is_running(survey, today(program, context.clock.now())):
        return None
    if not surveys.asks(survey, await context.waves.member(program_id, person_id)):
        return None
    wave = await context.waves.get(program_id, survey.wave_id) if survey.wave_id else None
    texts: Mapping[str, str] = dict.fromkeys(program.languages, "")
    chosen = choose_language(texts, language, program.languages)
    return Asked(survey, chosen, await context.surveys.has_answered(survey.id, person_id), wave.name if wave else None)


async def results(context: Context, program_id: str, survey_id: str) -> Results:
    """Raises NotFound, Conflict `survey-not-closed`."""
    survey = await context.surveys.get(program_id, survey_id)
    tallies = await context.surveys.tallies([survey_id])
    return surveys.results(survey, tallies.get(survey_id, Tally()), context.settings.small_group)


async def texts(
    context: Context, program_id: str, survey_id: str, cursor: str | None, limit: int
) -> tuple[list[str], str | None]:
    """What was written, in an order that says nothing; nothing where too few answered. Raises NotFound, Conflict
    `survey-not-closed`, Invalid."""
    after = texts_of(decode_cursor(cursor), 1)
    if not (await results(context, program_id, survey_id)).shown:
        return [], None
    found = await context.surveys.texts(survey_id, after[0] if after else None, limit + 1)
    following = encode_cursor([found[limit - 1][0]]) if len(found) > limit else None
    return [text for _, text in found[:limit]], following


async def trend(context: Context, program_id: str) -> list[tuple[Survey, Results]]:
    """The last closed surveys of the whole programme that enough answered, the oldest first. Raises NotFound."""
    await context.programs.get(program_id)
    found = await context.surveys.page(program_id, "closed", None, MAX_TREND, of_all=True)
    tallies = await context.surveys.tallies([one.id for one in found])
    least = context.settings.small_group
    all_of_them = [(one, surveys.results(one, tallies.get(one.id, Tally()), least)) for one in reversed(found)]
    return [(survey, seen) for survey, seen in all_of_them if seen.shown]
