"""Writing, reviewing and publishing what there is to share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.clients import Json, Refusal
from services.hub.confirmation import ask, is_confirmed
from services.hub.content import CATEGORIES, KINDS
from services.hub.dependencies import Editor
from services.hub.language import known_zone
from services.hub.networks import NETWORKS
from services.hub.paths import page, v1
from services.hub.view import View

router = APIRouter(prefix="/editor")
STATES = ("in_review", "draft", "approved", "published", "retired")
ACTIONS = ("submit", "approve", "reject", "publish", "unpublish", "retire", "restore")
ASKED = ("publish", "retire")
RESULTS = {"submit": "in_review", "publish": "published", "unpublish": "approved", "restore": "published"}
"""Which items are listed after an act."""
OFFERED = {
    "draft": ("submit",),
    "in_review": ("publish", "approve", "reject"),
    "approved": ("publish",),
    "published": ("retire",),
    "retired": (),
}
PAGE = 20


@router.get("")
async def items(view: Editor, state: str = "in_review", cursor: str | None = None) -> Response:
    state = state if state in STATES else "in_review"
    program_id = view.program.id if view.program else None
    found = await view.gather(
        items=view.apis.get("content", v1("items"), program_id=program_id, state=state, cursor=cursor, limit=PAGE)
    )
    template = "editor/_items.html" if cursor and view.is_fragment else "editor/items.html"
    return view.page(template, state=state, states=STATES, **found)


@router.get("/new")
async def new(view: Editor) -> Response:
    return _form(view, blank(view), None, {})


@router.post("/new")
async def create(view: Editor) -> Response:
    order = read_item(await view.form(), view)
    try:
        answer = await view.apis.call("content", "POST", v1("items"), order, key=await view.field("key") or None)
    except Refusal as refusal:
        return _form(view, order, None, view.violations(refusal), refusal)
    return await _then(view, answer.data["id"], await view.field("then"))


@router.get("/items/{item_id}")
async def item(view: Editor, item_id: str) -> Response:
    answer = await view.apis.call("content", "GET", v1("items", item_id))
    return _form(view, answer.data, answer.version, {})


@router.post("/items/{item_id}")
async def change(view: Editor, item_id: str) -> Response:
    order = read_item(await view.form(), view)
    version = await view.whole("version")
    try:
        await view.apis.call("content", "PUT", v1("items", item_id), order, version=version)
    except Refusal as refusal:
        present = {**order, "id": item_id, "state": await view.field("state", "draft")}
        return _form(view, present, version, view.violations(refusal), refusal)
    return await _then(view, item_id, await view.field("then"))


@router.post("/items/{item_id}/{action}")
async def act(view: Editor, item_id: str, action: str) -> Response:
    """Move an item along: submit, approve, reject, publish or retire it."""
    if action not in ACTIONS:
        return view.go(page("editor", "items", item_id))
    state = await view.field("state", "in_review")
    if action in ASKED and not await is_confirmed(view):
        return await _ask(view, item_id, action)
    body = {"comment": await view.field("comment")} if action == "reject" else {}
    if action == "publish" and state == "draft":
        await view.apis.call("content", "POST", v1("items", item_id, "submit"), {})
    await view.apis.call("content", "POST", v1("items", item_id, action), body)
    return view.go("/editor", toast=f"item-{action}", state=RESULTS.get(action, state), of=item_id)


async def _ask(view: View, item_id: str, action: str) -> Response:
    """Whom it reaches: those who will see the item, or will no more."""
    item = await view.apis.get("content", v1("items", item_id))
    targeting = item["targeting"]
    audience = await view.apis.call(
        "program",
        "GET",
        v1("programs", item["program_id"], "audience"),
        params={"countries": targeting["countries"], "teams": targeting["teams"]},
    )
    notes = [view.language.text(f"ask.{action}.reaches", count=audience.data["ambassadors"])]
    groups = [*(view.language.country_name(one) for one in targeting["countries"]), *targeting["teams"]]
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
        title=view.language.pick({one["language"]: one["title"] for one in item["variants"]}),
        carry={"state": item["state"]},
    )


@router.get("/caption")
async def caption(view: Editor) -> Response:
    """One more caption to write."""
    return view.page(
        "editor/_caption.html",
        caption={"language": view.language.code, "network": None, "text": ""},
        networks_offered=NETWORKS,
    )


async def _then(view: View, item_id: str, action: str) -> Response:
    if action in ASKED:
        return await _ask(view, item_id, action)
    if action in ACTIONS:
        await view.apis.call("content", "POST", v1("items", item_id, action), {})
        return view.go(
            "/editor",
            toast=f"item-{action}",
            state=RESULTS.get(action, "draft"),
        )
    return view.go(page("editor", "items", item_id), toast="saved")


def _form(
    view: View, item: Json, version: int | None, errors: dict[str, str], refusal: Refusal | None = None
) -> Response:
    return view.page(
        "editor/item.html",
        422 if refusal else 200,
        item={**blank(view), **item},
        version=version,
        errors=errors,
        refusal=refusal,
        kinds=KINDS,
        categories=CATEGORIES,
        offered=OFFERED.get(item.get("state", "new"), ()),
    )


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
        "targeting": {"countries": [], "teams": []},
        "expires_at": None,
    }


def read_item(form: FormData, view: View) -> Json:
    """The item as the form has it. What was left blank is left out: languages without a title, empty captions."""

    def text(name: str) -> str:
        value = form.get(name, "")
        return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""

    variants: list[Json] = []
    for language in LANGUAGES:
        if title := text(f"title_{language}"):
            variant = {"language": language, "title": title, "summary": text(f"summary_{language}")}
            variants.append({**variant, **({"url": url} if (url := text(f"url_{language}")) else {})})
    captions: list[Json] = []
    columns = (form.getlist("caption_language"), form.getlist("caption_network"), form.getlist("caption_text"))
    for language_, network, words in zip(*columns, strict=False):
        if str(words).strip():
            said = str(words).replace("\r\n", "\n").strip()
            captions.append({"language": str(language_), "network": str(network) or None, "text": said})
    expires = text("expires_at")
    return {
        "program_id": text("program_id") or (view.program.id if view.program else ""),
        "kind": text("kind"),
        "category": text("category"),
        "url": text("url"),
        "shareable": "shareable" in form,
        "variants": variants,
        "captions": captions,
        "targeting": {"countries": listed(text("countries").upper()), "teams": listed(text("teams"))},
        "image_url": text("image_url") or None,
        "expires_at": in_zone(expires, view.language.zone) if expires else None,
    }


def listed(text: str) -> list[str]:
    """The words between commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def in_zone(local: str, zone: str) -> Any:
    """A browser's local date and time as RFC 3339, in the programme's time zone; as it is where it is none."""
    try:
        return datetime.fromisoformat(local).replace(tzinfo=known_zone(zone)).isoformat()
    except ValueError:
        return local
