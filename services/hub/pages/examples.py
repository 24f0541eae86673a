"""Posts that worked, and why: to learn from, to offer of one's own, and to choose and explain."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.audience import reached
from services.hub.captions import without_link
from services.hub.clients import Json, Refusal
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador, requires
from services.hub.forms.filling import Place
from services.hub.networks import NETWORKS
from services.hub.pages.lessons import all_lessons
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/learn/examples"
MANAGE: Final = "/manage/examples"
STATES: Final = ("draft", "shown", "retired")
PAGE: Final = 20
BESIDE: Final = 3
"""Examples that stand beside a lesson."""
BLANK: Final[Json] = {
    "state": "new",
    "text": "",
    "network": None,
    "language": None,
    "why": {},
    "lesson_id": None,
    "author_id": None,
}
Writer = Annotated[View, requires("editor", "manager")]


async def beside(view: View, program_id: str, lesson_id: str) -> Json:
    """The examples beside a lesson, with the names of those who agreed to be named."""
    path = v1("programs", program_id, "examples", "shown")
    asked = view.apis.get("program", path, language=view.language.code, lesson_id=lesson_id, limit=BESIDE)
    found = (await view.gather(examples=asked))["examples"]
    return await _named(view, found if isinstance(found, Missing) else {**found, "items": found["items"][:BESIDE]})


async def _named(view: View, found: Any) -> Json:
    items = [] if isinstance(found, Missing) else found["items"]
    names = await view.names({one["author_id"] for one in items if one["author_id"]})
    return {"examples": found, "names": names}


@router.get(HERE)
async def examples(view: Ambassador, query: str = "", cursor: str | None = None) -> Response:
    """Posts that worked, and those that one offered oneself."""
    program_id, wanted = view.require_program().id, query.strip()[:MAX_QUERY]

    def page_of(cursor: str | None) -> Awaitable[Json]:
        path = v1("programs", program_id, "examples", "shown")
        return view.apis.get("program", path, language=view.language.code, query=wanted, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"examples": read_list(view, cursor, page_of)}
    fragment = bool(cursor and view.is_fragment)
    if not fragment:
        calls["mine"] = view.apis.get("program", v1("programs", program_id, "examples", "mine"), limit=PAGE)
    found = await view.gather(**calls)
    named = await _named(view, found["examples"])
    template = "examples/_examples.html" if fragment else "examples/examples.html"
    return view.page(template, query=query, **{**found, **named})


@router.post(HERE + "/posts/{post_id}/offer")
async def offer(view: Ambassador, post_id: str) -> Response:
    """Let a post of one's own be shown as an example; asked about with who reads it."""
    post = await view.apis.get("sharing", v1("posts", post_id))
    named = bool(await view.field("named"))
    if not await is_confirmed(view):
        said = ("ask.offer.who", "ask.offer.named" if named else "ask.offer.unnamed", "ask.offer.until")
        notes = [str(view.language.text(key)) for key in said]
        return await ask(view, "offer", back="/posts", notes=notes, undo=True)
    order = {
        "post_id": post["id"],
        "text": without_link(post),
        "network": post["network"],
        "language": post["language"],
        "named": named,
    }
    offered = await view.apis.call("program", "POST", v1("programs", post["program_id"], "examples", "offers"), order)
    return view.go(HERE, toast="example-offered", of=offered.data["id"])


@router.post(HERE + "/{example_id}/withdraw")
async def withdraw(view: Ambassador, example_id: str) -> Response:
    """One's own post is shown no more; it can be offered again."""
    path = v1("programs", view.require_program().id, "examples", example_id, "withdraw")
    await view.apis.call("program", "POST", path)
    return view.go(HERE, toast="example-withdrawn")


# --- those who choose --------------------------------------------------------------------------------------------


def _path(view: View, *more: str) -> ApiPath:
    return v1("programs", view.require_program().id, "examples", *more)


@router.get(MANAGE)
async def manage(view: Writer, state: str = "", query: str = "", cursor: str | None = None) -> Response:
    """What was offered and written."""
    if view.program is None:
        return view.go("/manage/program")
    state = state if state in STATES else ""

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view), query=query, state=state, cursor=cursor, limit=PAGE)

    found = await _named(view, (await view.gather(examples=read_list(view, cursor, page_of)))["examples"])
    template = "examples/_manage.html" if cursor and view.is_fragment else "examples/manage.html"
    return view.page(template, state=state, states=STATES, query=query, **found)


@router.get(MANAGE + "/new")
async def new(view: Writer) -> Response:
    """An example that nobody posted."""
    return await _editor(view, BLANK, None)


@router.get(MANAGE + "/{example_id}")
async def edit(view: Writer, example_id: str) -> Response:
    """Why it worked, and beside which lesson it stands."""
    answer = await view.apis.call("program", "GET", _path(view, example_id))
    return await _editor(view, answer.data, answer.version)


async def _editor(view: View, example: Json, version: int | None) -> Response:
    asked = partial(all_lessons, view) if view.me.has("manager") else _no_lessons
    found = await view.gather(lessons=asked())
    lessons = [] if isinstance(found["lessons"], Missing) else found["lessons"]
    names = await view.names({example["author_id"]} if example["author_id"] else set())
    written_in = dict.fromkeys((*(view.require_program().languages or LANGUAGES), *example["why"]))
    return view.page(
        "examples/editor.html",
        example=example,
        version=version,
        written_in=list(written_in),
        lessons=[one for one in lessons if one["state"] != "retired"],
        offered=[one for one in NETWORKS if one != "device"],
        names=names,
    )


async def _no_lessons() -> list[Json]:
    """An editor does not write lessons; what an example stands beside stays."""
    return []


@router.post(MANAGE + "/new")
async def create(view: Writer) -> Response:
    body = await _written(view)
    answer = await view.apis.call("program", "POST", _path(view), body, key=await view.key(body))
    view.shown_at = page("manage", "examples", answer.data["id"])
    return await _then(view, answer.data["id"])


@router.post(MANAGE + "/{example_id}")
async def change(view: Writer, example_id: str) -> Response:
    """Save it, and ask whether to show it where that was wanted."""
    body, version = await _written(view), await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, example_id), body, version=version)
    return await _then(view, example_id)


async def _then(view: View, example_id: str) -> Response:
    if await view.field("then") == "show":
        return await _ask_to_show(view, example_id)
    return view.go(page("manage", "examples", example_id), toast="example-saved")


async def _written(view: View) -> Json:
    form = await view.form()
    why = {name.removeprefix("why_"): str(form[name]).strip() for name in form if name.startswith("why_")}
    view.fields |= {f"why.{code}": Place(f"why_{code}") for code in why}
    body: Json = {"why": {code: one for code, one in why.items() if one}}
    words = {name: (await view.field(name)).strip() for name in ("text", "network", "language", "lesson_id")}
    return {**body, **{name: one for name, one in words.items() if one}}


@router.post(MANAGE + "/{example_id}/show")
async def show(view: Writer, example_id: str) -> Response:
    """Ambassadors read it from now on."""
    if not await is_confirmed(view):
        return await _ask_to_show(view, example_id)
    try:
        await view.apis.call("program", "POST", _path(view, example_id, "show"))
    except Refusal as refusal:
        if refusal.errors:
            view.shown_at = page("manage", "examples", example_id)
            view.fields |= {f"why.{code}": Place(f"why_{code}") for code in view.require_program().languages}
        raise
    return view.go(MANAGE, toast="example-shown", of=example_id)


async def _ask_to_show(view: View, example_id: str) -> Response:
    count = await reached(view, view.require_program().id)
    return await ask(
        view,
        "example_show",
        back=page("manage", "examples", example_id),
        path=page("manage", "examples", example_id, "show"),
        notes=[str(view.language.text("ask.example_show.what", count=count))],
        undo=True,
        carry={},
    )


@router.post(MANAGE + "/{example_id}/retire")
async def retire(view: Writer, example_id: str) -> Response:
    """Nobody reads it any more; it can be shown again."""
    await view.apis.call("program", "POST", _path(view, example_id, "retire"))
    return view.go(MANAGE, toast="example-retired", of=example_id)


@router.post(MANAGE + "/{example_id}/restore")
async def restore(view: Writer, example_id: str) -> Response:
    """A retired one is read again."""
    await view.apis.call("program", "POST", _path(view, example_id, "show"))
    return view.go(MANAGE, toast="example-shown", of=example_id)
