"""The guidelines: read and acknowledged by ambassadors, with the visual identity and the questions beside them; written
by managers."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.audience import reached
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager, SignedIn
from services.hub.forms.filling import Place
from services.hub.paths import safe_path, v1
from services.hub.quizzes import CHOICES, given_answers, written_questions
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/guidelines"
QUESTIONS: Final = 3
RULES: Final = 5
"""Dos, and as many don'ts, that a form has room for; more where there are more."""
KINDS: Final = {"dos": "do", "donts": "dont"}
MAX_ANSWERED: Final = 50
"""Answered questions on the page."""
Answered = tuple[Json | None, list[list[int]]]


@router.get("/programs/{program_id}/guidelines")
async def guidelines(view: SignedIn, program_id: str, back: str = "/feed") -> Response:
    return await _shown(view, program_id, safe_path(back), None, [])


async def _shown(view: View, program_id: str, back: str, answered: Json | None, given: list[list[int]]) -> Response:
    of, language = ("programs", program_id), view.language.code
    text = await view.apis.get("program", v1(*of, "guidelines"), language=language)
    found = await view.gather(
        identity=view.apis.get("program", v1(*of, "identity"), language=language),
        answers=view.apis.get("program", v1(*of, "answers"), kind="question", language=language, limit=MAX_ANSWERED),
    )
    return view.page(
        "join/guidelines.html",
        of=view.me.find_program(program_id),
        guidelines=text,
        back=back,
        answered=answered,
        given=given,
        **found,
    )


@router.post("/programs/{program_id}/guidelines")
async def acknowledge(view: SignedIn, program_id: str) -> Response:
    """They were read; where they have a quiz, its answers say so."""
    back = safe_path(await view.field("back", "/feed"))
    answered, given = await acknowledge_guidelines(view, program_id)
    if answered is None or answered["passed"]:
        return view.go(back)
    return await _shown(view, program_id, back, answered, given)


async def acknowledge_guidelines(view: View, program_id: str) -> Answered:
    """What came of the answers of a form, and these; None for guidelines without a quiz."""
    path = ("programs", program_id, "guidelines", str(await view.whole("version") or 0))
    given = await given_answers(view)
    if not given:
        await view.apis.call("program", "POST", v1(*path, "acknowledge"))
        return None, []
    order = {"language": await view.field("language"), "answers": given}
    answer = await view.apis.call("program", "POST", v1(*path, "answers"), order)
    return answer.data, given


@router.get(HERE)
async def write(view: Manager) -> Response:
    """The guidelines in force, to write the next version from."""
    program = view.require_program()
    path = v1("programs", program.id, "guidelines", "written")
    written = (await view.gather(written=view.apis.get("program", path)))["written"]
    found: Json = {"texts": {}, "rules": {}, "quiz": {}} if isinstance(written, Missing) else written
    return view.page(
        "manage/guidelines.html",
        written=found,
        unavailable=written if isinstance(written, Missing) and written.down else None,
        written_in=_languages(view, found),
        questions=QUESTIONS,
        choices=CHOICES,
        rules=RULES,
        kinds=KINDS,
    )


def _languages(view: View, written: Json) -> list[str]:
    return list(dict.fromkeys((*(view.require_program().languages or LANGUAGES), *written["texts"])))


@router.post(HERE)
async def publish(view: Manager) -> Response:
    """A new version of the guidelines."""
    program = view.require_program()
    order = await _written(view)
    if order["texts"] and not await is_confirmed(view):
        return await _ask(view, program.id, material=bool(order["material"]))
    await view.apis.call("program", "POST", v1("programs", program.id, "guidelines"), order)
    return view.go("/manage/program", toast="guidelines-published")


async def _ask(view: View, program_id: str, *, material: bool) -> Response:
    count = await reached(view, program_id)
    note = view.language.text("ask.guidelines.material" if material else "ask.guidelines.other", count=count)
    return await ask(view, "guidelines", back=HERE, notes=[str(note)])


async def _written(view: View) -> Json:
    """What was written, in the languages in which something was."""
    form = await view.form()
    languages = dict.fromkeys(name.removeprefix("guidelines_") for name in form if name.startswith("guidelines_"))
    view.fields = {"texts": Place(f"guidelines_{next(iter(languages), LANGUAGES[0])}")}
    view.fields |= {f"texts.{code}": Place(f"guidelines_{code}") for code in languages}
    texts: Json = {}
    rules: Json = {}
    quiz: Json = {}
    for code in languages:
        if text := (await view.field(f"guidelines_{code}")).strip():
            texts[code] = text
        found = {kind: _rules(view, form, kind, code) for kind in KINDS}
        if any(found.values()):
            rules[code] = found
        if questions := await written_questions(view, code, f"quiz.{code}"):
            quiz[code] = questions
        view.fields |= {f"quiz.{code}": Place(f"question_{code}_0"), f"rules.{code}": Place(f"do_{code}")}
    return {"texts": texts, "rules": rules, "quiz": quiz, "material": "material" in form}


def _rules(view: View, form: Any, kind: str, code: str) -> list[Json]:
    """The dos or the don'ts in which something was written."""
    name = KINDS[kind]
    found: list[Json] = []
    pairs = zip(form.getlist(f"{name}_{code}"), form.getlist(f"{name}_example_{code}"), strict=False)
    for row, (text, example) in enumerate(pairs):
        rule = {"text": str(text).strip(), "example": str(example).strip()}
        if any(rule.values()):
            at = f"rules.{code}.{kind}.{len(found)}"
            view.fields |= {
                f"{at}.text": Place(f"{name}_{code}", row),
                f"{at}.example": Place(f"{name}_example_{code}", row),
            }
            found.append(rule)
    return found
