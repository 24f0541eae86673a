"""A person's points, and why they have each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import Ambassador
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1
from services.hub.view import Missing, View

router = APIRouter()
PAGE = 25
MAX_POSTS = 100
"""Posts whose points are looked up for words: `gamification` knows no titles, so their ids are sent to it. Where more
match, the page says that it has those of the newest."""


@router.get("/points")
async def points(view: Ambassador, query: str = "", cursor: str | None = None) -> Response:
    """The ledger, or what came of the posts whose titles have the words `query`."""
    program_id = view.program.id if view.program else None
    wanted: list[str] | None = None
    newest = False

    async def page_of(cursor: str | None) -> Json:
        nonlocal wanted, newest
        if query.strip() and wanted is None:
            wanted, newest = await _posts_about(view, program_id, query.strip()[:MAX_QUERY])
        if wanted == []:
            return {"items": [], "next": None, "total": 0}
        asked = {"program_id": program_id, "post_id": wanted, "cursor": cursor, "limit": PAGE}
        found: Json = await view.apis.get("gamification", v1("me", "ledger"), **asked)
        return found

    calls: dict[str, Awaitable[Json]] = {"ledger": read_list(view, cursor, page_of)}
    whole = not (cursor and view.is_fragment)
    if whole:
        calls["points"] = view.apis.get("gamification", v1("me", "points"), program_id=program_id)
    found = await view.gather(**calls)
    titles = await _titles(view, found["ledger"])
    return view.page(
        "points/points.html" if whole else "points/_entries.html",
        titles=titles,
        query=query,
        newest=MAX_POSTS if newest else 0,
        **found,
    )


async def _posts_about(view: View, program_id: str | None, query: str) -> tuple[list[str], bool]:
    """The person's posts with these words in the title, the newest of them, and whether there are more."""
    wanted = {"program_id": program_id, "query": query, "limit": MAX_POSTS}
    found = await view.apis.get("sharing", v1("posts"), **wanted)
    return [one["id"] for one in found["items"]], found["next"] is not None


async def _titles(view: View, ledger: Json | Missing) -> Mapping[str, Json]:
    """What the posts of the entries are about, by their ids; empty where `sharing` does not answer."""
    if isinstance(ledger, Missing):
        return {}
    ids = list(dict.fromkeys(entry["post_id"] for entry in ledger["items"] if entry.get("post_id")))
    if not ids:
        return {}
    found = (await view.gather(titles=view.apis.call("sharing", "POST", v1("posts", "titles"), {"ids": ids})))["titles"]
    return {} if isinstance(found, Missing) else found.data.get("titles", {})
