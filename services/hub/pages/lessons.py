"""Lessons and paths as a manager writes them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.audience import reached
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.paging import read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.quizzes import CHOICES, written_questions
from services.hub.view import View

router = APIRouter(prefix="/manage")
HERE = "/manage/lessons"
STATES = ("published", "draft", "retired")
PAGE = 20
AT_ONCE, PAGES = 100, 2
"""How all the lessons of a programme are read, to choose from for a path: there are at most 200."""
QUESTIONS = 3
"""That a form has room for; more where a lesson has more."""
BLANK: Json = {"latest": {"texts": {}, "required_for": []}, "state": "new", "edition": 0}


def _path(view: View, *segments: str) -> ApiPath:
    return v1("programs", view.require_program().id, *segments)


@router.get("/lessons")
async def lessons(view: Manager, state: str = "", query: str = "", cursor: str | None = None) -> Response:
    """The lessons, and the paths that order them."""
    if view.program is None:
        return view.go("/manage/program")
    state = state if state in STATES else ""

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view, "lessons"), query=query, state=state, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"lessons": read_list(view, cursor, page_of)}
    fragment = bool(cursor and view.is_fragment)
    if not fragment:
        calls["paths"] = view.apis.get("program", _path(view, "paths"))
    found = await view.gather(**calls)
    template = "lessons/_lessons.html" if fragment else "lessons/lessons.html"
    return view.page(template, state=state, states=STATES, query=query, **found)


@router.post("/lessons/starters")
async def add_starters(view: Manager) -> Response:
    """The lessons that Herald brings."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.starters.what"))]
        return await ask(view, "starters", back=HERE, notes=notes, undo=None)
    answer = await view.apis.call("program", "POST", _path(view, "starter-lessons"))
    return view.go(HERE, toast="starters-added", count=str(answer.data.get("lessons", 0)))


@router.get("/lessons/new")
async def new(view: Manager) -> Response:
    return _editor(view, BLANK, None)


@router.get("/lessons/{lesson_id}")
async def edit(view: Manager, lesson_id: str) -> Response:
    answer = await view.apis.call("program", "GET", _path(view, "lessons", lesson_id))
    return _editor(view, answer.data, answer.version)


def _editor(view: View, lesson: Json, version: int | None) -> Response:
    return view.page(
        "lessons/editor.html",
        lesson=lesson,
        version=version,
        written_in=_languages(view, lesson),
        questions=QUESTIONS,
        choices=CHOICES,
    )


def _languages(view: View, lesson: Json) -> list[str]:
    program = view.require_program()
    return list(dict.fromkeys((*(program.languages or LANGUAGES), *lesson["latest"]["texts"])))


@router.post("/lessons/new")
async def create(view: Manager) -> Response:
    body = await _written(view)
    answer = await view.apis.call("program", "POST", _path(view, "lessons"), body, key=await view.key(body))
    view.shown_at = page("manage", "lessons", answer.data["id"])
    return await _then(view, answer.data["id"])


@router.post("/lessons/{lesson_id}")
async def change(view: Manager, lesson_id: str) -> Response:
    """Save the draft; then show it as it will be read, or ask whether to publish it."""
    body, version = await _written(view), await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, "lessons", lesson_id), body, version=version)
    return await _then(view, lesson_id)


async def _then(view: View, lesson_id: str) -> Response:
    then = await view.field("then")
    if then == "publish":
        return await _ask_to_publish(view, lesson_id)
    if then == "preview":
        return view.go(page("manage", "lessons", lesson_id, "preview"))
    return view.go(page("manage", "lessons", lesson_id), toast="lesson-saved")


async def _written(view: View) -> Json:
    """What was written, in the languages in which something was."""
    form = await view.form()
    texts: Json = {}
    for code in dict.fromkeys(name.removeprefix("title_") for name in form if name.startswith("title_")):
        text = {name: (await view.field(f"{name}_{code}")).strip() for name in ("title", "text", "picture_alt")}
        addresses = {name: (await view.field(f"{name}_{code}")).strip() or None for name in ("picture", "video")}
        questions = await written_questions(view, code, f"texts.{code}.questions")
        if not any((*text.values(), *addresses.values(), questions)):
            continue
        seconds = (await view.field(f"video_seconds_{code}")).strip()
        length = {"video_seconds": int(seconds) if seconds.isascii() and seconds.isdigit() else seconds or 0}
        texts[code] = {**text, **addresses, **length, "questions": questions}
        names = ("title", "text", "picture", "picture_alt", "video", "video_seconds")
        view.fields |= {f"texts.{code}": Place(f"title_{code}")}
        view.fields |= {f"texts.{code}.{name}": Place(f"{name}_{code}") for name in names}
    view.fields.setdefault("texts", Place(f"title_{LANGUAGES[0]}"))
    return {"texts": texts, "required_for": [str(one) for one in form.getlist("required_for")]}


@router.get("/lessons/{lesson_id}/preview")
async def preview(view: Manager, lesson_id: str) -> Response:
    """The latest that was written, as it will be read."""
    found = await view.apis.get("program", _path(view, "lessons", lesson_id))
    return view.page("lessons/preview.html", lesson=found)


@router.post("/lessons/{lesson_id}/publish")
async def publish(view: Manager, lesson_id: str) -> Response:
    if not await is_confirmed(view):
        return await _ask_to_publish(view, lesson_id)
    before = await view.apis.get("program", _path(view, "lessons", lesson_id))
    await view.apis.call("program", "POST", _path(view, "lessons", lesson_id, "publish"))
    again = before["state"] == "published"
    return view.go(HERE, toast="lesson-published", **({} if again else {"of": lesson_id}))


async def _ask_to_publish(view: View, lesson_id: str) -> Response:
    lesson = await view.apis.get("program", _path(view, "lessons", lesson_id))
    count = await reached(view, view.require_program().id)
    notes = [str(view.language.text("ask.lesson_publish.what", count=count))]
    if "share" in lesson["latest"]["required_for"]:
        notes.append(str(view.language.text("ask.lesson_publish.required")))
    again = lesson["state"] == "published"
    if again:
        notes.append(str(view.language.text("ask.lesson_publish.again")))
    return await ask(
        view,
        "lesson_publish",
        back=page("manage", "lessons", lesson_id),
        path=page("manage", "lessons", lesson_id, "publish"),
        notes=notes,
        undo=None if again else True,
        carry={},
    )


@router.post("/lessons/{lesson_id}/retire")
async def retire(view: Manager, lesson_id: str) -> Response:
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.lesson_retire.what"))]
        back = page("manage", "lessons", lesson_id)
        return await ask(view, "lesson_retire", back=back, notes=notes, undo=True, danger=True)
    await view.apis.call("program", "POST", _path(view, "lessons", lesson_id, "retire"))
    return view.go(HERE, toast="lesson-retired", of=lesson_id)


@router.post("/lessons/{lesson_id}/restore")
async def restore(view: Manager, lesson_id: str) -> Response:
    """A retired lesson is there again."""
    await view.apis.call("program", "POST", _path(view, "lessons", lesson_id, "publish"))
    return view.go(page("manage", "lessons", lesson_id), toast="lesson-published", of=lesson_id)


# --- paths --------------------------------------------------------------------------------------------------------


@router.get("/paths/new")
async def new_path(view: Manager) -> Response:
    return await _path_form(view, {"titles": {}, "lesson_ids": [], "version": None})


@router.get("/paths/{path_id}")
async def edit_path(view: Manager, path_id: str) -> Response:
    return await _path_form(view, await view.apis.get("program", _path(view, "paths", path_id)))


async def _path_form(view: View, path: Json) -> Response:
    lessons = await all_lessons(view)
    known = {one["id"]: one for one in lessons}
    placed = [known[id] for id in path["lesson_ids"] if id in known]
    others = [one for one in lessons if one["id"] not in path["lesson_ids"] and one["state"] != "retired"]
    languages = dict.fromkeys((*(view.require_program().languages or LANGUAGES), *path["titles"]))
    return view.page("lessons/path.html", path=path, placed=placed, others=others, written_in=list(languages))


async def all_lessons(view: View) -> list[Json]:
    """Every lesson of the programme, to choose from."""
    found: list[Json] = []
    cursor: str | None = None
    for _ in range(PAGES):
        one = await view.apis.get("program", _path(view, "lessons"), cursor=cursor, limit=AT_ONCE)
        found += one["items"]
        cursor = one["next"]
        if cursor is None:
            break
    return found


@router.post("/paths/new")
async def create_path(view: Manager) -> Response:
    body = await _path_written(view)
    await view.apis.call("program", "POST", _path(view, "paths"), body, key=await view.key(body))
    return view.go(HERE, toast="path-saved")


@router.post("/paths/{path_id}")
async def change_path(view: Manager, path_id: str) -> Response:
    body, version = await _path_written(view), await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, "paths", path_id), body, version=version)
    return view.go(HERE, toast="path-saved")


async def _path_written(view: View) -> Json:
    """The names, and the lessons that have a place, by their places."""
    form = await view.form()
    titles = {name.removeprefix("title_"): str(form[name]).strip() for name in form if name.startswith("title_")}
    lessons, places = form.getlist("lesson"), form.getlist("place")
    placed = [
        (view.language.read_number(str(place)) or 0, number, str(id))
        for number, (id, place) in enumerate(zip(lessons, places, strict=False))
        if str(place).strip()
    ]
    view.fields = {f"titles.{code}": Place(f"title_{code}") for code in titles}
    view.fields |= {"titles": Place(f"title_{LANGUAGES[0]}"), "lesson_ids": Place("place")}
    return {
        "titles": {code: one for code, one in titles.items() if one},
        "lesson_ids": [id for *_, id in sorted(placed)],
    }


@router.post("/paths/{path_id}/remove")
async def remove_path(view: Manager, path_id: str) -> Response:
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.path_remove.what"))]
        return await ask(view, "path_remove", back=page("manage", "paths", path_id), notes=notes, danger=True)
    await view.apis.call("program", "DELETE", _path(view, "paths", path_id))
    return view.go(HERE, toast="path-removed")
