"""Pulse surveys: made, opened, answered, read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Language, Manager, Manages, Use
from services.program.commands import surveys
from services.program.domain.surveys import SurveyState
from services.program.schemas.surveys import (
    AnswerBody,
    AskedView,
    NewSurvey,
    ResultsView,
    RunningView,
    SurveysView,
    SurveyView,
    TrendView,
    WrittenView,
)

router = Router(prefix="/programs/{program_id}/surveys", tags=["surveys"])


@router.get("", summary="List surveys", response_model=SurveysView)
async def list_surveys(
    program_id: str,
    _: Manages,
    context: Use,
    query: Annotated[str | None, Query(max_length=200, description="Beginnings of words of the title")] = None,
    state: Annotated[SurveyState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SurveysView:
    """A programme's surveys, the last one first; in one state, or in all."""
    found, following, total = await queries.surveys.page(context, program_id, query or None, state, cursor, limit)
    return SurveysView(items=[SurveyView.model_validate(one) for one in found], next=following, total=total)


@router.post("", summary="Make a survey", response_model=SurveyView, status_code=201)
async def create_survey(program_id: str, body: NewSurvey, _: Manager, unit: Unit, context: Use) -> Response:
    """A draft, which nobody is asked yet."""
    return await unit.run(
        lambda tx: surveys.create_survey(context, tx, program_id, body.values()),
        view=SurveyView.model_validate,
        status=201,
        etag=version_of,
    )


@router.get("/running", summary="What I am asked", response_model=RunningView, responses=problems(409))
async def running(program_id: str, caller: Person, context: Use, language: Language = None) -> RunningView:
    """The survey that takes answers of the caller today, in their language. For ambassadors of the programme: 409
    `not-a-member`."""
    found = await queries.surveys.running(context, program_id, caller.id, language)
    return RunningView(survey=AskedView.of(found) if found else None)


@router.get("/trend", summary="Results over time", response_model=TrendView)
async def trend(program_id: str, _: Manages, context: Use) -> TrendView:
    """The scores of closed surveys of the whole programme that enough answered."""
    return TrendView.of(await queries.surveys.trend(context, program_id))


@router.get("/{survey_id}", summary="A survey", response_model=SurveyView)
async def get_survey(program_id: str, survey_id: str, _: Manages, context: Use, response: Response) -> SurveyView:
    """One survey, with the ETag that changing it asks for."""
    survey = await context.surveys.get(program_id, survey_id)
    response.headers.update(etag(survey.version))
    return SurveyView.model_validate(survey)


@router.put("/{survey_id}", summary="Change a survey", response_model=SurveyView)
async def change_survey(
    program_id: str, survey_id: str, body: NewSurvey, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of a draft, under the version that was read (`If-Match`). 409 `survey-not-a-draft` otherwise."""
    return await unit.run(
        lambda tx: surveys.change_survey(context, tx, program_id, survey_id, if_match, body.values()),
        view=SurveyView.model_validate,
        etag=version_of,
    )


@router.delete("/{survey_id}", summary="Delete a draft", status_code=204)
async def delete_survey(program_id: str, survey_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """409 `survey-not-a-draft` where it was opened."""
    return await unit.run(lambda tx: surveys.delete_survey(context, tx, program_id, survey_id), status=204)


@router.post("/{survey_id}/open", summary="Open a survey", response_model=SurveyView)
async def open_survey(program_id: str, survey_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """All ambassadors are asked, or those of its wave, from its first day on. 409 `survey-open` while another one is;
    409 `too-few-ambassadors` (with `min`) where it asks so few that nothing would be anonymous, and `too-few-besides`
    where the answers of so few would be the difference between the results of the programme and of waves; 409
    `wave-not-started`. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: surveys.open_survey(context, tx, program_id, survey_id),
        view=SurveyView.model_validate,
        etag=version_of,
    )


@router.post("/{survey_id}/withdraw", summary="Take an open survey back", response_model=SurveyView)
async def withdraw_survey(program_id: str, survey_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It is a draft again, and what was answered is deleted unseen. 409 `survey-closed` where it was closed. Repeating
    it changes nothing."""
    return await unit.run(
        lambda tx: surveys.withdraw_survey(context, tx, program_id, survey_id),
        view=SurveyView.model_validate,
        etag=version_of,
    )


@router.post("/{survey_id}/close", summary="Close a survey", response_model=SurveyView)
async def close_survey(program_id: str, survey_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Before its last day is over, and for good. Where fewer answered than make a group, what was answered is deleted
    unseen. 409 `survey-not-open` for a draft. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: surveys.close_survey(context, tx, program_id, survey_id),
        view=SurveyView.model_validate,
        etag=version_of,
    )


@router.post("/{survey_id}/answers", summary="Answer a survey", status_code=204)
async def answer_survey(
    program_id: str, survey_id: str, body: AnswerBody, caller: Person, unit: Unit, context: Use
) -> Response:
    """Once, by an ambassador of the programme, or of the wave that it asks: 409 `already-answered`, `not-a-member`,
    `not-in-wave`, `survey-not-open`. What is
    answered is kept without a name and without a time; no `Idempotency-Key` is needed, and none is kept."""
    return await unit.run(
        lambda tx: surveys.answer_survey(context, tx, program_id, survey_id, caller.id, body.answer()),
        status=204,
        keyed=False,
    )


@router.get(
    "/{survey_id}/results", summary="The results of a survey", response_model=ResultsView, responses=problems(409)
)
async def results(program_id: str, survey_id: str, _: Manages, context: Use) -> ResultsView:
    """What ambassadors answered, once the survey is closed: 409 `survey-not-closed` before. Where fewer answered than
    make a group, not even how many."""
    found = await queries.surveys.results(context, program_id, survey_id)
    return ResultsView.of(found, context.settings.small_group)


@router.get("/{survey_id}/texts", summary="What was written", response_model=WrittenView, responses=problems(409))
async def texts(
    program_id: str, survey_id: str, _: Manages, context: Use, cursor: Cursor = None, limit: Limit = 50
) -> WrittenView:
    """The free texts of a closed survey, by chance and apart from the scores; none where too few answered. 409
    `survey-not-closed` before."""
    found, following = await queries.surveys.texts(context, program_id, survey_id, cursor, limit)
    return WrittenView(items=found, next=following)
