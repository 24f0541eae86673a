"""Who is ahead: persons, teams, countries and leaders, over a period."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import SignedIn
from services.hub.paging import read_list
from services.hub.paths import ApiPath, v1
from services.hub.view import Missing, View

router = APIRouter()
PERIODS = ("week", "month", "quarter", "all")
SCOPES = ("individual", "team", "country", "leaders")
PEOPLE_SCOPES = ("individual", "leaders")
SHOWN = 25


@router.get("/leaderboard")
async def leaderboard(
    view: SignedIn, period: str = "month", scope: str = "individual", cursor: str | None = None
) -> Response:
    period = period if period in PERIODS else "month"
    scope = scope if scope in SCOPES else "individual"
    if view.program is None:
        return view.go("/join")
    path = v1("programs", view.program.id, "leaderboard")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("gamification", path, period=period, scope=scope, cursor=cursor, limit=SHOWN)

    calls: dict[str, Awaitable[Any]] = {"board": read_list(view, cursor, page_of)}
    whole = not (cursor and view.is_fragment)
    if whole:
        calls["near"] = near_me(view, path, period, scope)
        calls["points"] = view.apis.get("gamification", v1("me", "points"), program_id=view.program.id)
    found = await view.gather(**calls)
    shown = persons_of(found["board"]) | (persons_of(found["near"]) if whole else set())
    names = await view.names(shown) if scope in PEOPLE_SCOPES else {}
    return view.page(
        "leaderboard/leaderboard.html" if whole else "leaderboard/_rows.html",
        period=period,
        scope=scope,
        periods=PERIODS,
        scopes=SCOPES,
        names=names,
        **found,
    )


async def near_me(view: View, path: ApiPath, period: str, scope: str) -> Any:
    """The ranks around one's own, where one has a rank among persons."""
    if scope not in PEOPLE_SCOPES or not view.me.is_ambassador:
        return {"items": []}
    return await view.apis.get("gamification", path, period=period, scope=scope, around="me", limit=5)


def persons_of(board: Any) -> set[str]:
    if isinstance(board, Missing):
        return set()
    return {row["person_id"] for row in board["items"] if row.get("person_id")}
