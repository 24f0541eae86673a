"""What ambassadors ask compliance and say of the programme, and what managers answer."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.audience import reached
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador, Manager
from services.hub.forms.filling import Place
from services.hub.paging import read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.view import View

router = APIRouter()
HERE: Final = "/manage/feedback"
KINDS: Final = ("question", "comment")
STATES: Final = ("waiting", "answered")
PAGE: Final = 20


def _path(view: View, *segments: str) -> ApiPath:
    return v1("programs", view.require_program().id, *segments)


# --- by those who write -------------------------------------------------------------------------------------------


@router.get("/feedback")
async def own(view: Ambassador, kind: str = "comment", item: str = "") -> Response:
    """A form to ask or to comment, what one wrote with its answers, and what was done about comments."""
    kind = kind if kind in KINDS else "comment"
    found = await view.gather(
        mine=view.apis.get("program", _path(view, "feedback", "mine")),
        done=view.apis.get(
            "program", _path(view, "answers"), kind="comment", done="true", language=view.language.code, limit=PAGE
        ),
    )
    if isinstance(found["mine"], dict) and found["mine"].get("unseen"):
        await view.gather(seen=view.apis.call("program", "POST", _path(view, "feedback", "mine", "seen")))
    return view.page("feedback/own.html", kind=kind, kinds=KINDS, item=item[:128], **found)


async def unseen(view: View) -> int:
    """How many answers the ambassador has not seen."""
    if view.joined_program is None:
        return 0
    mine = await view.apis.get("program", v1("programs", view.joined_program, "feedback", "mine"))
    return int(mine.get("unseen") or 0)


@router.post("/feedback")
async def send(view: Ambassador) -> Response:
    order: Json = {"kind": await view.field("kind"), "text": await view.field("text"), "language": view.language.code}
    if item := await view.field("item"):
        order["item_id"] = item
    await view.apis.call("program", "POST", _path(view, "feedback"), order, key=await view.key(order))
    return view.go("/feedback", toast="feedback-sent")


@router.post("/feedback/{feedback_id}/remove")
async def take_back(view: Ambassador, feedback_id: str) -> Response:
    """Forget what one wrote."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.feedback_remove.what"))]
        return await ask(view, "feedback_remove", back="/feedback", notes=notes, danger=True)
    await view.apis.call("program", "DELETE", _path(view, "feedback", feedback_id))
    return view.go("/feedback", toast="feedback-removed")


# --- by those who answer ------------------------------------------------------------------------------------------


@router.get(HERE)
async def feedback(
    view: Manager, state: str = "waiting", kind: str = "", query: str = "", cursor: str | None = None
) -> Response:
    """What ambassadors wrote; first what waits for an answer."""
    if view.program is None:
        return view.go("/manage/program")
    state, kind = state if state in STATES else "waiting", kind if kind in KINDS else ""

    def page_of(cursor: str | None) -> Awaitable[Json]:
        path = _path(view, "feedback")
        return view.apis.get("program", path, state=state, kind=kind, query=query, cursor=cursor, limit=PAGE)

    found = await view.gather(feedback=read_list(view, cursor, page_of))
    names: Any = {}
    if isinstance(found["feedback"], dict):
        names = await view.names({one["person_id"] for one in found["feedback"]["items"] if one["person_id"]})
    template = "feedback/_list.html" if cursor and view.is_fragment else "feedback/list.html"
    return view.page(template, state=state, states=STATES, kind=kind, kinds=KINDS, query=query, names=names, **found)


@router.get(HERE + "/{feedback_id}")
async def one(view: Manager, feedback_id: str) -> Response:
    """What somebody wrote, and the answer."""
    found = await view.apis.call("program", "GET", _path(view, "feedback", feedback_id))
    written = found.data
    names = await view.names({written["person_id"]} if written["person_id"] else set())
    languages = dict.fromkeys((*(view.require_program().languages or LANGUAGES), *written["public"]))
    return view.page(
        "feedback/answer.html",
        one=written,
        version=found.version,
        who=names.get(written["person_id"] or ""),
        written_in=list(languages),
    )


@router.post(HERE + "/{feedback_id}")
async def answer(view: Manager, feedback_id: str) -> Response:
    """Answer who wrote; everybody too, once that was confirmed."""
    form = await view.form()
    codes = dict.fromkeys(name.removeprefix("said_") for name in form if name.startswith("said_"))
    public: Json = {}
    for code in codes:
        said = {name: (await view.field(f"{name}_{code}")).strip() for name in ("said", "answer")}
        if any(said.values()):
            public[code] = said
        view.fields |= {f"public.{code}.{name}": Place(f"{name}_{code}") for name in ("said", "answer")}
        view.fields |= {f"public.{code}": Place(f"said_{code}")}
    order = {"answer": (await view.field("answer")).strip(), "public": public, "done": "done" in form}
    if public and order["answer"] and not await is_confirmed(view):
        count = await reached(view, view.require_program().id)
        notes = [str(view.language.text("ask.feedback_public.what", count=count))]
        return await ask(view, "feedback_public", back=page("manage", "feedback", feedback_id), notes=notes, undo=True)
    path, version = _path(view, "feedback", feedback_id, "answer"), await view.whole("version")
    await view.apis.call("program", "PUT", path, order, version=version)
    if public:
        return view.go(HERE, toast="feedback-published", of=feedback_id)
    return view.go(HERE, toast="feedback-answered")


@router.post(HERE + "/{feedback_id}/private")
async def make_private(view: Manager, feedback_id: str) -> Response:
    """What was told in public is so no more; the answer to who wrote stays."""
    found = await view.apis.call("program", "GET", _path(view, "feedback", feedback_id))
    order = {"answer": found.data["answer"], "public": {}, "done": False}
    path = _path(view, "feedback", feedback_id, "answer")
    await view.apis.call("program", "PUT", path, order, version=found.version)
    return view.go(page("manage", "feedback", feedback_id), toast="feedback-private")
