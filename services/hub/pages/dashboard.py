"""What comes of a programme, as it comes: figures that move without a reload, charts, and the objective."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from services.hub.clients import ApiError
from services.hub.dependencies import Manager
from services.hub.figures import tiles
from services.hub.view import Missing, View

log = logging.getLogger(__name__)
router = APIRouter(prefix="/manage")
PERIODS = (7, 30, 90)
STREAM_SECONDS = 600
AT_MOST_EVERY = 0.4


@router.get("")
async def dashboard(view: Manager, days: int = 30) -> Response:
    if view.program is None:
        return view.go("/manage/program")
    days = days if days in PERIODS else 30
    found = await board(view, days)
    return view.page("manage/dashboard.html", days=days, periods=PERIODS, **found)


@router.get("/board")
async def fragment(view: Manager, days: int = 30) -> Response:
    """The charts and lists again, after something moved."""
    return view.page("manage/_charts.html", days=days, **await board(view, days if days in PERIODS else 30))


@router.get("/live")
async def live(view: Manager, days: int = 30) -> Response:
    """Server-sent events: `figures`, a JSON object of each figure's text, at once and whenever one moves.

    The stream ends by itself after some minutes, so that a browser comes again with a session that still holds.
    """
    assert view.program is not None
    body = pushes(view, view.program.id, days if days in PERIODS else 30)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


async def pushes(view: View, program_id: str, days: int) -> AsyncIterator[str]:
    """Each time metrics says that a figure moved: all of them, as the person reads them."""
    yield "retry: 2000\n\n"
    moved = asyncio.Event()
    listening = asyncio.ensure_future(_listen(view, program_id, moved))
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            while True:
                await _either(moved, listening)
                if not moved.is_set():
                    return
                moved.clear()
                figures = await _figures(view, program_id, days)
                if isinstance(figures, dict):
                    shown = {tile.key: tile.text for tile in tiles(view.language, figures, {})}
                    yield f"event: figures\ndata: {json.dumps(shown)}\n\n"
                await asyncio.sleep(AT_MOST_EVERY)
    except TimeoutError:
        return
    finally:
        listening.cancel()


async def _either(moved: asyncio.Event, listening: asyncio.Future[None]) -> None:
    waiting = asyncio.ensure_future(moved.wait())
    both: set[asyncio.Future[Any]] = {waiting, listening}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _listen(view: View, program_id: str, moved: asyncio.Event) -> None:
    try:
        async with view.apis.stream("metrics", f"/v1/programs/{program_id}/live") as events:
            async for name, _ in events:
                if name == "figures":
                    moved.set()
    except ApiError as error:
        log.info("the live figures end: %s", error)


async def _figures(view: View, program_id: str, days: int) -> Any:
    start, end = period(view, days)
    path = f"/v1/programs/{program_id}/figures"
    found = await view.gather(figures=view.apis.get("metrics", path, **{"from": start, "to": end}))
    return None if isinstance(found["figures"], Missing) else found["figures"]


async def board(view: View, days: int) -> dict[str, Any]:
    """Everything on the dashboard; what a service cannot give is Missing and the rest stands."""
    assert view.program is not None
    start, end = period(view, days)
    path = f"/v1/programs/{view.program.id}"
    span = {"from": start, "to": end}

    def series(by: str) -> Any:
        return view.apis.get("metrics", f"{path}/series", by=by, **span)

    found = await view.gather(
        figures=view.apis.get("metrics", f"{path}/figures", **span),
        definitions=view.apis.get("metrics", "/v1/definitions", language=view.language.code),
        days_series=series("day"),
        networks_series=series("network"),
        countries_series=series("country"),
        contents_series=series("content"),
        objective=view.apis.get("metrics", f"{path}/objective"),
    )
    figures, definitions = found["figures"], found["definitions"]
    shown = [] if isinstance(figures, Missing) else tiles(view.language, figures, definitions)
    titles = await _titles(view, found["contents_series"])
    return {**found, "tiles": shown, "titles": titles, "start": start, "end": end}


async def _titles(view: View, series: Any) -> dict[str, str]:
    """The titles of the items that brought most; an editor's view of them is not needed for that."""
    if isinstance(series, Missing):
        return {}
    ids = [str(row["key"]) for row in sorted(series["items"], key=lambda row: -row.get("clicks_counted", 0))[:5]]
    calls = {one: view.apis.get("content", f"/v1/items/{one}") for one in ids}
    items = await view.gather(**calls)
    return {
        one: next(
            (v["title"] for v in item["variants"] if v["language"] == view.language.code), item["variants"][0]["title"]
        )
        for one, item in items.items()
        if not isinstance(item, Missing) and item.get("variants")
    }


def period(view: View, days: int) -> tuple[str, str]:
    """The first and last day of the last `days` days, in the programme's time zone."""
    today = view.now.astimezone(ZoneInfo(view.language.zone)).date()
    return (today - timedelta(days=days - 1)).isoformat(), today.isoformat()
