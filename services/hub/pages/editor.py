"""Writing, reviewing and publishing what there is to share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from chassis.web.problems import Violation
from services.hub.audience import reached
from services.hub.clients import Answer, Json, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.content import CATEGORIES, KINDS, variant_in
from services.hub.dependencies import Editor
from services.hub.forms.filling import Place
from services.hub.language import as_moment
from services.hub.lists import Kind, chosen_of, offers
from services.hub.mixes import balance_of
from services.hub.networks import NETWORKS
from services.hub.paging import read_list
from services.hub.paths import page, v1
from services.hub.view import View

router = APIRouter(prefix="/editor")
STATES = ("in_review", "draft", "approved", "published", "retired")
ACTIONS = ("submit", "approve", "reject", "publish", "unpublish", "retire", "restore")
ASKED = ("publish", "retire", "restore")
RESULTS = {
    "submit": "in_review", "approve": "approved", "reject": "draft", "publish": "published", "unpublish": "approved",
    "retire": "retired", "restore": "published",
}  # fmt: skip
"""The state that each act ends in."""
OFFERED: Final = {
    "new": ("submit", "publish"),
    "draft": ("submit", "publish", "retire"),
    "in_review": ("publish", "approve", "reject", "retire"),
    "approved": ("publish", "retire"),
    "published": ("retire",),
    "retired": ("restore",),
}
"""What can be done with an item in each state, besides saving it. A retired one cannot be saved; like any other it can
be copied as a new draft. What was another product's, or has expired, is not restored (`retired_as`)."""
TARGETED: Final[tuple[Kind, ...]] = ("countries", "teams", "sites")
IMPORTED: Final = ".imported"
EXPIRED: Final = ".expired"
UNPUBLISHED: Final = ".unpublished"
FINAL: Final = (IMPORTED, EXPIRED)
"""A retired item that can only be copied."""
SAVING: Final = ("submit", "approve", "reject", "publish")
"""What is done with an item as it stands in the form: it is saved first. Retiring takes it down as it is."""
PAGE = 20


@router.get("")
async def items(view: Editor, state: str = "in_review", query: str = "", cursor: str | None = None) -> Response:
    state = state if state in STATES else "in_review"
    program_id = view.program.id if view.program else None
    wanted = {"program_id": program_id, "state": state, "query": query, "limit": PAGE}

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("content", v1("items"), **wanted, cursor=cursor)

    if cursor and view.is_fragment:
        found = await view.gather(items=read_list(view, cursor, page_of))
        return view.page("editor/_items.html", state=state, query=query, **found)
    found = await view.gather(items=read_list(view, cursor, page_of), mix=balance_of(view))
    return view.page("editor/items.html", state=state, states=STATES, query=query, **found)


@router.get("/new")
async def new(view: Editor, copy: str = "") -> Response:
    """A new item, or a copy of one (`copy` is its id)."""
    if not copy:
        return await _form(view, blank(view))
    found = await view.apis.get("content", v1("items", copy))
    expires_at = found["expires_at"] if found["expires_at"] and as_moment(found["expires_at"]) > view.now else None
    written = {name: found[name] for name in ("program_id", *blank(view))}
    return await _form(view, {**written, "expires_at": expires_at})


@router.post("/new")
async def create(view: Editor) -> Response:
    order = await read_item(view)
    answer = await view.apis.call("content", "POST", v1("items"), order, key=await view.key(order))
    return await _then(view, answer)


@router.get("/items/{item_id}")
async def item(view: Editor, item_id: str) -> Response:
    answer = await view.apis.call("content", "GET", v1("items", item_id))
    return await _form(view, answer.data, answer.version)


@router.post("/items/{item_id}")
async def change(view: Editor, item_id: str) -> Response:
    order = await read_item(view)
    if await view.field("then") == "reject" and not (await view.field("comment")).strip():
        raise invalid(Violation("comment", "required", "A comment is needed."))
    version = await view.whole("version")
    answer = await view.apis.call("content", "PUT", v1("items", item_id), order, version=version)
    return await _then(view, answer)


@router.post("/items/{item_id}/{action}")
async def act(view: Editor, item_id: str, action: str) -> Response:
    """Move an item along: submit, approve, reject, publish or retire it."""
    if action not in ACTIONS:
        return view.go(page("editor", "items", item_id))
    state = await view.field("state", "in_review")
    if action in ASKED and not await is_confirmed(view):
        item = await view.apis.get("content", v1("items", item_id))
        if action != "restore" or item["published_at"]:  # a draft reaches nobody
            return await _ask(view, item, action)
    body = {"comment": await view.field("comment")} if action == "reject" else {}
    version = await view.whole("version")
    if action == "publish" and state == "draft":
        submitted = await view.apis.call("content", "POST", v1("items", item_id, "submit"), {}, version=version)
        version = submitted.version
    done = await view.apis.call("content", "POST", v1("items", item_id, action), body, version=version)
    became = done.data.get("state") or RESULTS[action]
    if action == "restore" and became != "published":
        return view.go("/editor", toast="item-redrafted", state=became)
    return view.go("/editor", toast=f"item-{action}", state=became, of=item_id)


async def _ask(view: View, item: Json, action: str) -> Response:
    """Whom it reaches: those who will see the item, or will no more."""
    item_id, targeting = item["id"], _targeting(item)
    variant = variant_in(item, view.language.code)
    count = await reached(view, item["program_id"], targeting)
    notes = [view.language.text(f"ask.{action}.reaches", count=count)]
    countries = [view.language.country_name(one) for one in targeting["countries"]]
    groups = [*countries, *targeting["teams"], *targeting["sites"]]
    if groups:
        notes.append(view.language.text("ask.groups", groups=view.language.listed(groups)))
    return await ask(
        view,
        action,
        path=page("editor", "items", item_id, action),
        back=page("editor", "items", item_id),
        notes=map(str, notes),
        undo=True,
        danger=action == "retire",
        title=view.language.marked(variant["title"], variant["language"]),
        carry={"state": item["state"], "version": str(item["version"])},
    )


def _targeting(item: Json) -> dict[Kind, list[str]]:
    return {kind: item["targeting"].get(kind, []) for kind in TARGETED}


@router.post("/audience")
async def audience(view: Editor) -> Response:
    """How many the groups that are ticked in a form reach, while one ticks."""
    form = await view.form()
    program_id = await view.field("program_id") or view.require_program().id
    chosen = {kind: chosen_of(form, kind) for kind in TARGETED}
    return view.page("editor/_audience.html", **await view.gather(reached=reached(view, program_id, chosen)))


@router.get("/caption")
async def caption(view: Editor) -> Response:
    """One more caption to write."""
    return view.page(
        "editor/_caption.html",
        caption={"language": view.language.code, "network": None, "text": ""},
        networks_offered=NETWORKS,
    )


async def _then(view: View, saved: Answer) -> Response:
    """What is done with an item that was saved just now. Where that is refused, the item stays saved."""
    item_id, act = saved.data["id"], await view.field("then")
    here = page("editor", "items", item_id)
    if act not in SAVING:
        return view.go(here, toast="saved")
    view.shown_at, view.done_before = here, str(view.language.text("editor.saved_but"))
    if act in ASKED:
        return await _ask(view, saved.data, act)
    body = {"comment": await view.field("comment")} if act == "reject" else {}
    await view.apis.call("content", "POST", v1("items", item_id, act), body, version=saved.version)
    return view.go("/editor", toast=f"item-{act}", state=RESULTS[act])


async def _form(view: View, item: Json, version: int | None = None) -> Response:
    state = item.get("state", "new")
    shown = {**blank(view), **item}
    chosen = _targeting(shown)
    program_id = shown.get("program_id") or (view.program.id if view.program else "")
    asked: dict[str, Any] = {"reached": reached(view, program_id, chosen)} if program_id else {}
    offered, told = await asyncio.gather(offers(view, "ambassadors", **chosen), view.gather(**asked))
    retired = retired_as(view, shown) if state == "retired" else ""
    return view.page(
        "editor/item.html",
        item=shown,
        offers=offered,
        **told,
        written_in=dict.fromkeys((*LANGUAGES, *(one["language"] for one in item["variants"]))),
        state=state,
        allowed=f"{state}{retired}",
        version=version,
        kinds=KINDS,
        categories=CATEGORIES,
        offered=() if retired in FINAL else OFFERED.get(state, ()),
        redrafts=retired == UNPUBLISHED,
        saving=SAVING,
    )


def retired_as(view: View, item: Json) -> str:
    """What became of a retired item, as far as it decides whether it can be restored (`restore` of content); empty
    where it can be published again."""
    if item.get("retire_reason") == "imported":
        return IMPORTED
    if not item.get("published_at"):
        return UNPUBLISHED
    expired = item["expires_at"] and as_moment(item["expires_at"]) <= view.now
    return EXPIRED if expired else ""


def blank(view: View) -> Json:
    """An item that nothing is known of yet."""
    return {
        "kind": "article",
        "category": "company_news",
        "url": "",
        "image_url": "",
        "shareable": True,
        "variants": [],
        "captions": [{"language": view.language.code, "network": None, "text": ""}],
        "targeting": {kind: [] for kind in TARGETED},
        "pinned": False,
        "expires_at": None,
    }


async def read_item(view: View) -> Json:
    """The item as the form has it, and in `view.fields` where each part of it is. What was left blank is left out:
    languages of which nothing is said, empty captions. Raises Refusal."""
    form = await view.form()

    def text(name: str) -> str:
        value = form.get(name, "")
        return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""

    view.fields = {"variants": Place(f"title_{view.language.code}"), "captions": Place("caption_text")}
    view.fields |= {name: Place("countries") for name in ("targeting", "targeting.countries")}
    view.fields |= {f"targeting.{kind}": Place(kind) for kind in ("teams", "sites")}
    variants: list[Json] = []
    names = ("title", "summary", "url")
    for language in (name.removeprefix("title_") for name in form if name.startswith("title_")):
        said = {name: found for name in names if (found := text(f"{name}_{language}"))}
        if said:
            at = f"variants.{len(variants)}"
            view.fields |= {f"{at}.{name}": Place(f"{name}_{language}") for name in names}
            variants.append({"language": language, "title": "", **said})
    captions: list[Json] = []
    columns = (form.getlist("caption_language"), form.getlist("caption_network"), form.getlist("caption_text"))
    for row, (language_, network, words) in enumerate(zip(*columns, strict=False)):
        if str(words).strip():
            at = f"captions.{len(captions)}"
            view.fields |= {f"{at}.{name}": Place(f"caption_{name}", row) for name in ("language", "network", "text")}
            said_there = str(words).replace("\r\n", "\n").strip()
            captions.append({"language": str(language_), "network": str(network) or None, "text": said_there})
    expires_at = await view.moment("expires_at")
    return {
        "program_id": text("program_id") or (view.program.id if view.program else ""),
        "kind": text("kind"),
        "category": text("category"),
        "url": text("url"),
        "shareable": "shareable" in form,
        "variants": variants,
        "captions": captions,
        "targeting": {kind: chosen_of(form, kind) for kind in TARGETED},
        "image_url": text("image_url") or None,
        "pinned": "pinned" in form,
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
