"""Quizzes in forms: the questions that somebody writes, and the answers that somebody gives."""

from __future__ import annotations

from typing import Final

from services.hub.clients import Json
from services.hub.forms.filling import Place
from services.hub.view import View

MAX_QUESTIONS: Final = 5
CHOICES: Final = 4
"""That a form has room for; more where a question has more."""


async def written_questions(view: View, code: str, at: str) -> list[Json]:
    """The questions in the language `code` in which something was written (`lessons/_questions.html`); answers without
    words are left out. `at` is where the API has them."""
    form = await view.form()
    found: list[Json] = []
    count = sum(name.startswith(f"question_{code}_") for name in form)
    for number in range(count):
        right = form.getlist(f"right_{code}_{number}")
        written = enumerate(str(one).strip() for one in form.getlist(f"choice_{code}_{number}"))
        choices = [{"text": one, "right": str(place) in right} for place, one in written if one]
        text = (await view.field(f"question_{code}_{number}")).strip()
        explanation = (await view.field(f"explanation_{code}_{number}")).strip()
        if text or choices or explanation:
            where = f"{at}.{len(found)}"
            view.fields |= {
                where: Place(f"question_{code}_{number}"),
                f"{where}.choices": Place(f"choice_{code}_{number}"),
                f"{where}.explanation": Place(f"explanation_{code}_{number}"),
            }
            found.append({"text": text, "choices": choices, "explanation": explanation})
    return found


async def given_answers(view: View) -> list[list[int]]:
    """For each of the form's `questions` the numbers of the chosen answers (`lessons/_quiz.html`)."""
    form = await view.form()
    count = min(await view.whole("questions") or 0, MAX_QUESTIONS)
    names = [f"answer_{number}" for number in range(count)]
    view.fields |= {f"answers.{number}": Place(name) for number, name in enumerate(names)}
    return [[int(one) for one in form.getlist(name) if isinstance(one, str) and one in "012345"] for name in names]
