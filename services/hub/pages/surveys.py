"""Pulse surveys: what an ambassador is asked, and what a manager makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.audience import reached
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador, Manager
from services.hub.forms.filling import Place
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import page, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/surveys"
QUESTIONS: Final = range(3)
PAGE: Final = 20
NO_PAGE: Final[Json] = {"items": [], "next": None}


@router.get("/survey")
async def survey(view: Ambassador) -> Response:
    """What the programme asks now, to be answered once and by nobody in particular."""
    return view.page("surveys/survey.html", **await view.gather(asked=running(view)))


@router.post("/survey/{survey_id}")
async def answer(view: Ambassador, survey_id: str) -> Response:
    """Send what one says; without a key, of which the service would keep a fingerprint."""
    scores = [await view.whole(f"score_{number}") for number in QUESTIONS]
    view.fields = {f"scores.{number}": Place(f"score_{number}") for number in QUESTIONS}
    body: Json = {
        "enps": await view.whole("enps"),
        "scores": [one for one in scores if one is not None],
        "text": await view.field("text"),
    }
    path = v1("programs", view.require_program().id, "surveys", survey_id, "answers")
    await view.apis.call("program", "POST", path, body)
    return view.go("/feed", toast="survey-answered")


async def running(view: View) -> Any:
    """The survey that the ambassador is asked; None where there is none."""
    if view.joined_program is None:
        return None
    path = v1("programs", view.joined_program, "surveys", "running")
    found = await view.apis.get("program", path, language=view.language.code)
    return found.get("survey")


@router.get(HERE)
async def surveys(view: Manager, query: str = "", cursor: str | None = None) -> Response:
    """All surveys of the programme, and how the scores went from one to the next."""
    of = ("programs", view.require_program().id, "surveys")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1(*of), query=query.strip()[:MAX_QUERY], cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"surveys": read_list(view, cursor, page_of), "waves": _waves(view)}
    whole = not (cursor and view.is_fragment)
    if whole:
        calls["trend"] = view.apis.get("program", v1(*of, "trend"))
    found = await view.gather(**calls)
    found["waves"] = names_of(found["waves"])
    return view.page("surveys/list.html" if whole else "surveys/_list.html", query=query, **found)


@router.get(HERE + "/new")
async def new(view: Manager, wave: str = "") -> Response:
    """A further survey; of a wave where one comes from its page."""
    return await _form(view, {"wave_id": wave}, None, f"{HERE}/new")


@router.post(HERE + "/new")
async def create(view: Manager) -> Response:
    """Keep it as a draft; a form that is sent twice makes one."""
    order = await _order(view)
    path = v1("programs", view.require_program().id, "surveys")
    made = await view.apis.call("program", "POST", path, order, key=await view.key(order))
    return view.go(page("manage", "surveys", made.data["id"]), toast="survey-saved")


@router.get(HERE + "/{survey_id}")
async def one(view: Manager, survey_id: str, cursor: str | None = None) -> Response:
    """A draft, to change it; of a closed one, the results."""
    found = await view.apis.call("program", "GET", _path(view, survey_id))
    state, action = found.data["state"], page("manage", "surveys", survey_id)
    if state == "draft":
        return await _form(view, found.data, found.version, action)
    calls: dict[str, Any] = {"waves": _waves(view)} if found.data.get("wave_id") else {}
    if state == "closed":
        calls["results"] = view.apis.get("program", _path(view, survey_id, "results"))
        calls["texts"] = read_list(view, cursor, partial(_texts_of, view, survey_id))
    found_all = {"results": None, "texts": NO_PAGE, "waves": NO_PAGE, **await view.gather(**calls)}
    found_all["waves"] = names_of(found_all["waves"])
    template = "surveys/_texts.html" if cursor and view.is_fragment else "surveys/results.html"
    return view.page(template, survey=found.data, **found_all)


async def _form(view: View, survey: Json, version: int | None, action: str) -> Response:
    """In the languages of the programme, and those in which the survey is written."""
    waves = names_of((await view.gather(waves=_waves(view)))["waves"])
    if chosen := survey.get("wave_id"):
        waves.setdefault(chosen, chosen[-6:])
    written = (code for texts in (*survey.get("questions", ()), survey.get("prompt", {})) for code in texts)
    languages = list(dict.fromkeys((*(view.require_program().languages or LANGUAGES), *written)))
    return view.page(
        "surveys/form.html",
        survey=survey,
        version=version,
        action=action,
        questions=QUESTIONS,
        written_in=languages,
        waves=waves,
    )


async def _waves(view: View) -> Json:
    found: Json = await view.apis.get("program", v1("programs", view.require_program().id, "waves"))
    return found


def names_of(waves: Any) -> dict[str, str]:
    """Names of waves by their ids, the last one first; none where `program` does not answer."""
    items = [] if isinstance(waves, Missing) else waves["items"]
    return {one["wave"]["id"]: one["wave"]["name"] for one in reversed(items)}


async def _texts_of(view: View, survey_id: str, cursor: str | None) -> Json:
    found: Json = await view.apis.get("program", _path(view, survey_id, "texts"), cursor=cursor, limit=PAGE)
    return found


@router.post(HERE + "/{survey_id}")
async def change(view: Manager, survey_id: str) -> Response:
    """Change a draft."""
    version = await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, survey_id), await _order(view), version=version)
    return view.go(page("manage", "surveys", survey_id), toast="survey-saved")


@router.post(HERE + "/{survey_id}/open")
async def open_survey(view: Manager, survey_id: str) -> Response:
    """Ask it of all ambassadors, or of those of its wave."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.survey-open.what", count=await _asked(view, survey_id)))]
        return await ask(view, "survey-open", back=page("manage", "surveys", survey_id), notes=notes, undo=True)
    await view.apis.call("program", "POST", _path(view, survey_id, "open"))
    return view.go(HERE, toast="survey-opened", of=survey_id)


async def _asked(view: View, survey_id: str) -> int:
    """How many ambassadors it would ask."""
    program_id = view.require_program().id
    wave_id = (await view.apis.get("program", _path(view, survey_id))).get("wave_id")
    if not wave_id:
        return await reached(view, program_id)
    wave = await view.apis.get("program", v1("programs", program_id, "waves", wave_id))
    return int(wave["members"]) - int(wave["left"])


@router.post(HERE + "/{survey_id}/withdraw")
async def withdraw(view: Manager, survey_id: str) -> Response:
    """Make it a draft again; what was answered is deleted."""
    await view.apis.call("program", "POST", _path(view, survey_id, "withdraw"))
    return view.go(page("manage", "surveys", survey_id), toast="survey-withdrawn")


@router.post(HERE + "/{survey_id}/close")
async def close(view: Manager, survey_id: str) -> Response:
    """Take no more answers, for good."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.survey-close.what"))]
        return await ask(view, "survey-close", back=HERE, notes=notes)
    await view.apis.call("program", "POST", _path(view, survey_id, "close"))
    return view.go(page("manage", "surveys", survey_id), toast="survey-closed")


@router.post(HERE + "/{survey_id}/delete")
async def delete(view: Manager, survey_id: str) -> Response:
    """Delete a draft."""
    if not await is_confirmed(view):
        return await ask(view, "survey-delete", back=page("manage", "surveys", survey_id), danger=True)
    await view.apis.call("program", "DELETE", _path(view, survey_id))
    return view.go(HERE, toast="survey-deleted")


def _path(view: View, survey_id: str, *more: str) -> Any:
    return v1("programs", view.require_program().id, "surveys", survey_id, *more)


async def _order(view: View) -> Json:
    """The survey as the form has it; a question that nobody wrote is none."""
    form = await view.form()
    languages = [name.removeprefix("prompt_") for name in form if name.startswith("prompt_")]
    texts = {number: await _written(view, f"question_{number}", languages) for number in QUESTIONS}
    asked = [number for number in QUESTIONS if texts[number]]
    view.fields = dict(_places(asked, languages or LANGUAGES))
    return {
        "title": await view.field("title"),
        "opens_on": await view.field("opens_on"),
        "closes_on": await view.field("closes_on"),
        "wave_id": await view.field("wave_id") or None,
        "enps": "enps" in form,
        "questions": [texts[number] for number in asked],
        "prompt": await _written(view, "prompt", languages),
    }


def _places(asked: list[int], languages: Sequence[str]) -> Iterator[tuple[str, Place]]:
    """Where the fields of the API are in the form."""
    yield "questions", Place(f"question_0_{languages[0]}")
    for code in languages:
        yield f"prompt.{code}", Place(f"prompt_{code}")
        for index, number in enumerate(asked):
            yield f"questions.{index}.{code}", Place(f"question_{number}_{code}")


async def _written(view: View, name: str, languages: Sequence[str]) -> dict[str, str]:
    """A text in the languages in which it was written."""
    found = {code: (await view.field(f"{name}_{code}")).strip() for code in languages}
    return {code: text for code, text in found.items() if text}
