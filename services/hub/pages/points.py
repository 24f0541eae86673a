"""A person's points, and why they have each of them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.dependencies import Ambassador
from services.hub.paths import v1

router = APIRouter()
PAGE = 25


@router.get("/points")
async def points(view: Ambassador, cursor: str | None = None) -> Response:
    program_id = view.program.id if view.program else None
    ledger = view.apis.get("gamification", v1("me", "ledger"), program_id=program_id, cursor=cursor, limit=PAGE)
    if cursor and view.is_fragment:
        return view.page("points/_entries.html", **await view.gather(ledger=ledger))
    found = await view.gather(
        ledger=ledger, points=view.apis.get("gamification", v1("me", "points"), program_id=program_id)
    )
    return view.page("points/points.html", **found)
