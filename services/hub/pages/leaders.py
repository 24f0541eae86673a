"""Leaders go first: who of them takes part, and what a leader can do in two minutes a week."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import Ambassador, Manager
from services.hub.pages.feed import items_with_shares
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1
from services.hub.view import Missing, View

router = APIRouter()
PAGE: Final = 30
BOARD: Final = 100
"""Leaders of whom the month's points are looked up."""
STANDINGS: Final = ("joined", "paused", "invited", "applied", "none", "declined", "rejected", "left")


@router.get("/manage/leaders")
async def leaders(view: Manager, query: str = "", cursor: str | None = None) -> Response:
    """The company's leaders, with their status and, of those who do not keep out of it, their points of the month."""
    of = ("programs", view.require_program().id)
    query = query[:MAX_QUERY]

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1(*of, "leaders"), query=query, cursor=cursor, limit=PAGE)

    board = view.apis.get("gamification", v1(*of, "leaderboard"), period="month", scope="leaders", limit=BOARD)
    found = await view.gather(leaders=read_list(view, cursor, page_of), board=board)
    lines = [] if isinstance(found["board"], Missing) else found["board"]["items"]
    points = {one.get("person_id"): one.get("points") for one in lines}
    template = "leaders/_list.html" if cursor and view.is_fragment else "leaders/list.html"
    return view.page(template, query=query, points=points, standings=STANDINGS, **found)


@router.get("/lead")
async def suggestion(view: Ambassador) -> Response:
    """Two minutes: something to share that they have not shared yet, words to begin with, and whom to thank."""
    calls: dict[str, Awaitable[Any]] = {"items": items_with_shares(view, "", None)}
    if view.joined_program is not None:
        board = v1("programs", view.joined_program, "leaderboard")
        calls["board"] = view.apis.get("gamification", board, period="week", scope="individual", limit=5)
    found = {"board": {"items": []}, **await view.gather(**calls)}
    items = [] if isinstance(found["items"], Missing) else found["items"]["items"]
    item = next((one for one in items if not one["shared"] and one.get("shareable", True)), None)
    return view.page("leaders/suggestion.html", item=item, feed=found["items"], thanked=await _to_thank(view, found))


async def _to_thank(view: View, found: Json) -> Json | None:
    """The colleague with the most points this week, of those who are on the leaderboard."""
    lines = [] if isinstance(found["board"], Missing) else found["board"]["items"]
    others = [one["person_id"] for one in lines if one.get("person_id") not in (None, view.me.id)]
    names = await view.names(set(others[:1])) if others else {}
    return dict(names[others[0]]) if others and others[0] in names else None
