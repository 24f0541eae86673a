"""What there is to share, and sharing it: one tap on a network, one on the caption that comes with it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json, Refusal
from services.hub.dependencies import Ambassador, SignedIn, load_person
from services.hub.networks import NETWORKS
from services.hub.paths import page, v1
from services.hub.shell import home
from services.hub.view import BadForm, View

router = APIRouter()
PAGE = 10


@router.get("/")
async def start(view: SignedIn) -> Response:
    return view.go(home(view.me))


@router.get("/menu")
async def menu(view: SignedIn) -> Response:
    """Every place there is, for a phone's one thumb."""
    return view.page("menu.html")


@router.get("/feed")
async def feed(view: Ambassador, cursor: str | None = None) -> Response:
    """The items for this person; further ones are added below as the end comes into view."""
    wanted = {"program_id": view.joined_program, "language": view.language.code, "cursor": cursor, "limit": PAGE}
    if cursor and view.is_fragment:
        return view.page("feed/_items.html", **await view.gather(items=view.apis.get("content", v1("feed"), **wanted)))
    found = await view.gather(
        items=view.apis.get("content", v1("feed"), **wanted),
        points=view.apis.get("gamification", v1("me", "points"), program_id=view.program.id if view.program else None),
    )
    return view.page("feed/feed.html", **found)


@router.get("/feed/{item_id}")
async def item(view: Ambassador, item_id: str) -> Response:
    found = await view.apis.get("content", v1("feed", item_id), language=view.language.code)
    return view.page("feed/item.html", item=found)


@router.get("/feed/{item_id}/share")
async def sheet(view: Ambassador, item_id: str, network: str = "linkedin", caption: str | None = None) -> Response:
    """The first tap: a caption, ready to go, with what will be added to it and what speaks against it."""
    if network not in NETWORKS:
        return view.go(page("feed", item_id))
    item = await view.apis.get("content", v1("feed", item_id), language=view.language.code, network=network)
    program = view.me.find_program(item["program_id"])
    if program is not None and program.must_acknowledge:
        await load_person(view, fresh=True)
        program = view.me.find_program(item["program_id"])
        if program is not None and program.must_acknowledge:
            return view.page("feed/acknowledge.html", item=item, network=network, guidelines_of=program)
    captions = suggestions(item, network, view.language.code)
    chosen = next((one for one in captions if one["caption_id"] == caption), captions[0] if captions else None)
    text = chosen["text"] if chosen else f"{item['title']}"
    language = chosen["language"] if chosen else view.language.code
    found = await view.gather(
        check=judge(view, item_id, network, language, text), allowance=allowance(view, item["program_id"], network)
    )
    return view.page(
        "feed/share.html",
        item=item,
        network=network,
        captions=captions,
        chosen=chosen,
        text=text,
        language=language,
        key=str(uuid4()),
        refused=None,
        **found,
    )


@router.post("/feed/{item_id}/check")
async def check(view: Ambassador, item_id: str) -> Response:
    """What the guardrails say of the caption as it is being written."""
    network = await view.field("network")
    text = await view.field("caption")
    found = await view.gather(check=judge(view, item_id, network, await view.field("language", "en"), text))
    return view.page("feed/_check.html", network=network, **found)


@router.post("/feed/{item_id}/share")
async def share(view: Ambassador, item_id: str) -> Response:
    """The second tap: a post with its own link, and on to the network."""
    network, text = await view.field("network"), await view.field("caption")
    if network not in NETWORKS:
        raise BadForm
    language, caption_id = await view.field("language", "en"), await view.field("caption_id")
    order = {"content_id": item_id, "network": network, "language": language, "caption": text}
    if caption_id:
        order["caption_id"] = caption_id
    try:
        key = await view.field("key") or str(uuid4())
        answer = await view.apis.call("sharing", "POST", v1("posts"), order, key=key)
    except Refusal as refusal:
        return await _refused(view, item_id, order, refusal)
    shared: Json = answer.data
    return view.page("feed/shared.html", post=shared, network=network, item_id=item_id)


async def _refused(view: View, item_id: str, order: dict[str, str], refusal: Refusal) -> Response:
    item = await view.apis.get("content", v1("feed", item_id), language=view.language.code)
    network = order["network"]
    captions = suggestions(item, network, view.language.code)
    found = await view.gather(allowance=allowance(view, item["program_id"], network))
    return view.page(
        "feed/share.html",
        # htmx swaps no answer that is an error, and the sheet is what has to be swapped.
        200 if view.is_fragment else refusal.status,
        item=item,
        network=network,
        captions=captions,
        chosen=next((one for one in captions if one["caption_id"] == order.get("caption_id")), None),
        text=order["caption"],
        language=order["language"],
        check=None if "findings" not in refusal.document else refusal.document,
        key=str(uuid4()),
        refused=refusal,
        **found,
    )


async def judge(view: View, item_id: str, network: str, language: str, text: str) -> Any:
    body = {"content_id": item_id, "network": network, "language": language, "caption": text}
    return (await view.apis.call("sharing", "POST", v1("drafts", "check"), body)).data


async def allowance(view: View, program_id: str, network: str) -> Json:
    """How many shares of a day earn points (`limit`, None for any number), and how many more do today (`left`)."""
    found = await view.apis.get("gamification", v1("me", "allowance"), program_id=program_id, network=network)
    return {name: found.get(name) for name in ("limit", "left")}


def suggestions(item: Json, network: str, language: str) -> list[Json]:
    """The captions that suit: those for this network before those for any, in the reader's language before others."""
    fitting = [one for one in item.get("captions", ()) if one.get("network") in (None, network)]
    return sorted(fitting, key=lambda one: (one["language"] != language, one.get("network") is None))
