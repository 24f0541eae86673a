"""What people decide for themselves in a programme: join, decline, pause, leave, acknowledge its guidelines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Path, Response

from chassis.mongo import Transaction
from chassis.web.http import Person, Router, Unit
from services.program import queries
from services.program.api.base import Use
from services.program.commands import programs
from services.program.context import Context
from services.program.domain.people import Person as Somebody
from services.program.schemas.admission import Departing
from services.program.schemas.guidelines import QuizAnswers, QuizView
from services.program.schemas.me import Join, MeView

router = Router(tags=["taking part"])
Version = Annotated[int, Path(ge=1, le=1_000_000)]


def _answering_me(
    context: Context, act: Callable[[Transaction], Awaitable[Somebody]]
) -> Callable[[Transaction], Awaitable[queries.people.Me]]:
    """A command that runs the act and answers the caller's state after it."""

    async def command(tx: Transaction) -> queries.people.Me:
        return await queries.people.me(context, await act(tx), tx)

    return command


@router.post("/programs/{program_id}/join", summary="Become an ambassador", response_model=MeView)
async def join(program_id: str, body: Join, caller: Person, unit: Unit, context: Use) -> Response:
    """Accepts the consent in the version named; by invitation, or freely where the programme is open or one has
    been part of it before. Repeating it changes nothing."""
    act = _answering_me(context, lambda tx: programs.join(context, tx, program_id, caller.id, body.consent_version))
    return await unit.run(act, view=MeView.of)


@router.post("/programs/{program_id}/decline", summary="Turn an invitation down", response_model=MeView)
async def decline(program_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """For good: a person who declined is not invited again. Repeating it changes nothing."""
    act = _answering_me(context, lambda tx: programs.decline(context, tx, program_id, caller.id))
    return await unit.run(act, view=MeView.of)


@router.post("/programs/{program_id}/reconsider", summary="Take back having declined", response_model=MeView)
async def reconsider(program_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """The invitation that one turned down waits again. 409 `not-declined` where there was none. Repeating it changes
    nothing."""
    act = _answering_me(context, lambda tx: programs.reconsider(context, tx, program_id, caller.id))
    return await unit.run(act, view=MeView.of)


@router.post("/programs/{program_id}/leave", summary="Stop being an ambassador", response_model=MeView)
async def leave(program_id: str, caller: Person, unit: Unit, context: Use, body: Departing | None = None) -> Response:
    """At any time, at once. A reason, if one is given, is counted without a name. Repeating it changes nothing."""
    reason = body.said() if body else None
    act = _answering_me(context, lambda tx: programs.leave(context, tx, program_id, caller.id, reason))
    return await unit.run(act, view=MeView.of)


@router.post("/programs/{program_id}/pause", summary="Take a break", response_model=MeView)
async def pause(program_id: str, caller: Person, unit: Unit, context: Use, body: Departing | None = None) -> Response:
    """One stays an ambassador, and is not counted among those enrolled until one resumes. A reason, if one is given, is
    counted without a name. Repeating it changes nothing."""
    reason = body.said() if body else None
    act = _answering_me(context, lambda tx: programs.pause(context, tx, program_id, caller.id, reason))
    return await unit.run(act, view=MeView.of)


@router.post("/programs/{program_id}/resume", summary="Come back from a break", response_model=MeView)
async def resume(program_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """Repeating it changes nothing."""
    act = _answering_me(context, lambda tx: programs.resume(context, tx, program_id, caller.id))
    return await unit.run(act, view=MeView.of)


@router.post(
    "/programs/{program_id}/guidelines/{version}/acknowledge", summary="Acknowledge guidelines", response_model=MeView
)
async def acknowledge(
    program_id: str,
    version: Version,
    caller: Person,
    unit: Unit,
    context: Use,
) -> Response:
    """Says that a version was read, which a share asks for. 409 `quiz-required` where its quiz has to be passed.
    Repeating it changes nothing."""
    act = _answering_me(context, lambda tx: programs.acknowledge(context, tx, program_id, caller.id, version))
    return await unit.run(act, view=MeView.of)


@router.post(
    "/programs/{program_id}/guidelines/{version}/answers",
    summary="Answer the quiz of guidelines",
    response_model=QuizView,
)
async def answer_quiz(
    program_id: str, version: Version, body: QuizAnswers, caller: Person, unit: Unit, context: Use
) -> Response:
    """Says which answers are right, and why; with all right, this version is acknowledged. An ambassador may try as
    often as they like; wrong answers leave no trace."""
    answers = [frozenset(one) for one in body.answers]
    return await unit.run(
        lambda tx: programs.answer_quiz(
            context, tx, program_id, caller.id, version, language=body.language, answers=answers
        ),
        view=QuizView.of,
    )
