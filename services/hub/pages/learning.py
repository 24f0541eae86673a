"""Learning: the lessons of a programme by path, a lesson with its quiz, a certificate."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json, Refusal
from services.hub.dependencies import Ambassador
from services.hub.pages.examples import beside
from services.hub.paths import page, safe_path, v1
from services.hub.quizzes import given_answers
from services.hub.view import Missing, View

router = APIRouter()


@router.get("/learn")
async def learn(view: Ambassador) -> Response:
    """What there is to learn, and how far one is; where it goes on stands first."""
    program_id = view.require_program().id
    found = await view.gather(learning=_learning(view, program_id))
    following = None if isinstance(found["learning"], Missing) else _following(found["learning"])
    return view.page("lessons/learn.html", program_id=program_id, following=following, **found)


async def first_lesson(view: View) -> Json | None:
    """What an ambassador who has just joined begins with; None where there is nothing to learn, or they have begun."""
    if view.joined_program is None:
        return None
    steps = _steps(await _learning(view, view.joined_program))
    return steps[0] if steps and not any(one["completed_at"] for one in steps) else None


async def _learning(view: View, program_id: str) -> Any:
    return await view.apis.get("program", v1("programs", program_id, "learning"), language=view.language.code)


def _steps(learning: Json) -> list[Json]:
    return [step for path in learning["paths"] for step in path["lessons"]] + list(learning["others"])


def lesson_before(learning: Any, right: str) -> Json | None:
    """The first lesson that one has to complete before a right; None where there is none, or nobody knows."""
    steps = _steps(learning) if isinstance(learning, dict) and "paths" in learning else []
    return next((one for one in steps if right in one["required_for"] and not one["completed_at"]), None)


def _following(learning: Json, after: str | None = None) -> Json | None:
    """The first lesson that one has not completed: of those after one, or else of all."""
    steps = _steps(learning)
    at = next((number + 1 for number, step in enumerate(steps) if step["lesson_id"] == after), 0)
    return next((step for step in steps[at:] + steps[:at] if not step["completed_at"]), None)


@router.get("/programs/{program_id}/lessons/{lesson_id}")
async def lesson(view: Ambassador, program_id: str, lesson_id: str, back: str = "/learn") -> Response:
    """A lesson, with its questions below."""
    found = await _lesson(view, program_id, lesson_id)
    shown = await beside(view, program_id, lesson_id)
    return view.page("lessons/lesson.html", lesson=found, back=safe_path(back), answered=None, given=[], **shown)


async def _lesson(view: View, program_id: str, lesson_id: str) -> Json:
    path = v1("programs", program_id, "learning", lesson_id)
    found: Json = await view.apis.get("program", path, language=view.language.code)
    return found


@router.post("/programs/{program_id}/lessons/{lesson_id}")
async def answer(view: Ambassador, program_id: str, lesson_id: str) -> Response:
    """The answers, judged: what was wrong is explained, and can be tried again."""
    given, back = await given_answers(view), safe_path(await view.field("back", "/learn"))
    order = {"edition": await view.whole("edition") or 1, "language": await view.field("language"), "answers": given}
    try:
        answers = v1("programs", program_id, "learning", lesson_id, "answers")
        answered: Json = (await view.apis.call("program", "POST", answers, order)).data
    except Refusal as refusal:
        if refusal.type == "lesson-changed":
            return view.go(page("programs", program_id, "lessons", lesson_id), toast="lesson-changed", back=back)
        raise
    found = await _lesson(view, program_id, lesson_id)
    shown = await beside(view, program_id, lesson_id)
    following = None
    if answered["passed"]:
        learning = (await view.gather(learning=_learning(view, program_id)))["learning"]
        following = None if isinstance(learning, Missing) else _following(learning, lesson_id)
    return view.page(
        "lessons/lesson.html", lesson=found, back=back, answered=answered, given=given, following=following, **shown
    )


@router.get("/programs/{program_id}/paths/{path_id}/certificate")
async def certificate(view: Ambassador, program_id: str, path_id: str) -> Response:
    """That one completed a path: a page to print, or to keep as a PDF by printing it."""
    path = v1("programs", program_id, "learning", "paths", path_id, "certificate")
    found = await view.apis.get("program", path, language=view.language.code)
    return view.page("lessons/certificate.html", certificate=found)
