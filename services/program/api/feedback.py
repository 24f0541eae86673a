"""Questions to compliance and comments on the programme: asked, answered, told in public."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Language, Manager, ProgramReader, Use
from services.program.commands import feedback
from services.program.domain.feedback import FeedbackKind, FeedbackState
from services.program.queries.feedback import MAX_OWN
from services.program.schemas.feedback import (
    FeedbackAnswer,
    FeedbackBody,
    FeedbacksView,
    FeedbackView,
    OwnFeedbacksView,
    OwnFeedbackView,
    PublishedPage,
    PublishedView,
)

router = Router(prefix="/programs/{program_id}", tags=["feedback"])


@router.post("/feedback", summary="Ask or comment", response_model=OwnFeedbackView, status_code=201)
async def send_feedback(program_id: str, body: FeedbackBody, caller: Person, unit: Unit, context: Use) -> Response:
    """A question to compliance, or a comment on the programme; managers see who wrote it. For ambassadors: 409
    `not-a-member`; 409 `too-many-waiting` where 20 wait for an answer."""
    return await unit.run(
        lambda tx: feedback.send_feedback(context, tx, program_id, caller.id, **body.model_dump()),
        view=OwnFeedbackView.model_validate,
        status=201,
    )


@router.get("/feedback/mine", summary="What I asked and said", response_model=OwnFeedbacksView)
async def own_feedback(program_id: str, caller: Person, context: Use) -> OwnFeedbacksView:
    """The last hundred, with their answers."""
    return OwnFeedbacksView.of(await context.feedback.of_person(program_id, caller.id, MAX_OWN))


@router.post("/feedback/mine/seen", summary="I have seen the answers", status_code=204)
async def see_answers(program_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """Repeating it changes nothing."""
    return await unit.run(lambda tx: feedback.see_answers(context, tx, program_id, caller.id), status=204)


@router.get("/feedback", summary="What ambassadors asked and said", response_model=FeedbacksView)
async def list_feedback(
    program_id: str,
    _: Manager,
    context: Use,
    kind: Annotated[FeedbackKind | None, Query()] = None,
    state: Annotated[FeedbackState | None, Query()] = None,
    query: Annotated[str | None, Query(max_length=200, description="Beginnings of words")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FeedbacksView:
    """The newest first."""
    found, following, total = await queries.feedback.page(
        context, program_id, kind, state, query or None, cursor, limit
    )
    return FeedbacksView(items=[FeedbackView.model_validate(one) for one in found], next=following, total=total)


@router.get("/feedback/{feedback_id}", summary="One question or comment", response_model=FeedbackView)
async def get_feedback(program_id: str, feedback_id: str, _: Manager, context: Use, response: Response) -> FeedbackView:
    """With the ETag that answering asks for."""
    found = await context.feedback.get(program_id, feedback_id)
    response.headers.update(etag(found.version))
    return FeedbackView.model_validate(found)


@router.put("/feedback/{feedback_id}/answer", summary="Answer", response_model=FeedbackView)
async def answer_feedback(
    program_id: str,
    feedback_id: str,
    body: FeedbackAnswer,
    caller: Manager,
    unit: Unit,
    context: Use,
    if_match: IfMatch,
) -> Response:
    """Under the version that was read (`If-Match`): the whole answer, to who wrote and, with `public`, to everybody. It
    can be changed later; without `public`, what was told in public is so no more."""
    return await unit.run(
        lambda tx: feedback.answer_feedback(context, tx, program_id, feedback_id, if_match, caller.id, **body.values()),
        view=FeedbackView.model_validate,
        etag=version_of,
    )


@router.delete("/feedback/{feedback_id}", summary="Take back what I wrote", status_code=204)
async def take_back(program_id: str, feedback_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """It is deleted, with its answer; what was told of it in public stays, and names nobody."""
    return await unit.run(
        lambda tx: feedback.take_back_feedback(context, tx, program_id, feedback_id, caller.id), status=204
    )


@router.get("/answers", summary="What was answered in public", response_model=PublishedPage)
async def published(
    program_id: str,
    _: ProgramReader,
    context: Use,
    kind: Annotated[FeedbackKind, Query()] = "question",
    done: Annotated[bool | None, Query(description="Of comments: with what was done about them, or without")] = None,
    language: Language = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PublishedPage:
    """Questions that stand with the guidelines, or comments with what was done about them; the last published first."""
    found, following = await queries.feedback.published(
        context, program_id, kind, language, done=done, cursor=cursor, limit=limit
    )
    return PublishedPage(items=[PublishedView.of(one) for one in found], next=following)
