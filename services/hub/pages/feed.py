"""What there is to share."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.hub import tips
from services.hub.dependencies import Ambassador, SignedIn
from services.hub.pages.feedback import unseen
from services.hub.pages.learning import first_lesson
from services.hub.pages.surveys import running
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1
from services.hub.shell import home
from services.hub.view import View

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
async def feed(view: Ambassador, query: str = "", cursor: str | None = None, toast: str = "") -> Response:
    """The items for this person; further ones are added below. Who has just joined is led to the first lesson."""
    asked: dict[str, Any] = {"items": read_list(view, cursor, partial(items_with_shares, view, query))}
    if cursor and view.is_fragment:
        return view.page("feed/_items.html", query=query, **await view.gather(**asked))
    asked["points"] = view.apis.get(
        "gamification", v1("me", "points"), program_id=view.program.id if view.program else None
    )
    asked["survey"] = running(view)
    asked["leading"] = _leading(view)
    asked["answered"] = unseen(view)
    if toast == "joined":
        asked["lesson"] = first_lesson(view)
    told = {} if query else tips.asked(view)
    found = {"lesson": None, **await view.gather(**asked, **told)}
    tip = tips.tip_of(view, {name: found.pop(name) for name in told})
    return view.page("feed/feed.html", query=query, tip=tip, **found)


async def _leading(view: View) -> Any:
    """What the ambassador is told of leaders and deputies; None where they take part in nothing."""
    if view.joined_program is None:
        return None
    found = await view.apis.get("program", v1("programs", view.joined_program, "leaders", "notices"))
    counts = {name: found.get(name) or 0 for name in ("asked", "deputy_for", "prepared")}
    return {"first_posts": found.get("first_posts") or [], **counts}


@router.get("/feed/{item_id}")
async def item(view: Ambassador, item_id: str) -> Response:
    found = await view.apis.get("content", v1("feed", item_id), language=view.language.code)
    found["shared"] = item_id in await shared_items(view, [item_id])
    return view.page("feed/item.html", item=found)


async def items_with_shares(view: View, query: str, cursor: str | None) -> Any:
    """A page of the feed; each item says whether this person shared it."""
    wanted = {"program_id": view.joined_program, "language": view.language.code, "query": query.strip()[:MAX_QUERY]}
    found = await view.apis.get("content", v1("feed"), **wanted, cursor=cursor, limit=PAGE)
    shared = await shared_items(view, [one["id"] for one in found["items"]])
    return {**found, "items": [{**one, "shared": one["id"] in shared} for one in found["items"]]}


async def shared_items(view: View, ids: list[str]) -> set[str]:
    """Those of the items that this person shared; none where `sharing` does not answer."""
    if not ids:
        return set()
    found = (await view.gather(shared=view.apis.get("sharing", v1("shared-items"), content_id=ids)))["shared"]
    return {one["content_id"] for one in found["items"]} if isinstance(found, dict) else set()
