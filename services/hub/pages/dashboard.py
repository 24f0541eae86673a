"""What comes of a programme, as it comes: figures that move without a reload, charts, and the objectives."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from pymongo.errors import PyMongoError
from starlette.responses import Response, StreamingResponse

from services.hub.clients import ApiError, CutOff, Json
from services.hub.content import variant_in
from services.hub.dependencies import Manager, end_access
from services.hub.figures import tiles
from services.hub.language import known_zone
from services.hub.pages.review import lines_of_today
from services.hub.paths import NoSuchPath, v1
from services.hub.view import Missing, View

log = logging.getLogger(__name__)
router = APIRouter(prefix="/manage")
PERIODS = (7, 30, 90)
STREAM_SECONDS = 600
HELD_SECONDS = 0.5
"""How often a stream looks whether its session still holds."""
WHY_SECONDS = 0.8
"""For how long it asks why not."""
AT_MOST_EVERY = 0.4
CHARTS_EVERY = 1.5
BEST = 5
SERIES = {"days": "day", "networks": "network", "countries": "country", "contents": "content"}


@router.get("")
async def dashboard(view: Manager, days: int = 30) -> Response:
    if view.program is None:
        return view.go("/manage/program")
    days = days if days in PERIODS else 30
    found = await board(view, days)
    lines = await lines_of_today(view, found["objectives"])
    return view.page("manage/dashboard.html", days=days, periods=PERIODS, lines=lines, **found)


@router.get("/live")
async def live(view: Manager, days: int = 30) -> Response:
    """Server-sent events, made of what `metrics` pushes and of nothing that would have to be asked for:

    - `figures`: a JSON object of each figure's text and detail, at once and whenever one moves
    - `charts`: the charts and lists as HTML, at once and some time after they moved
    - a comment for each heartbeat of `metrics`, so that no proxy takes a quiet dashboard for a dead one

    - `ended`: where to go, when the person signed out or has no access any more

    The stream ends by itself after some minutes, so that a browser comes again with a session that still holds.
    """
    body = pushes(view, view.require_program().id, days if days in PERIODS else 30)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


class Newest:
    """The newest event of a stream that is read all the time: a slow browser misses events, never the present."""

    def __init__(self) -> None:
        self.ended = False
        self._figures: str | None = None
        self._heartbeat = False
        self._arrived = asyncio.Event()

    async def read(self, view: View, program_id: str, days: int) -> None:
        """Read until the stream ends, for whatever reason."""
        try:
            path = v1("programs", program_id, "live")
            async with view.apis.stream("metrics", path, days=days) as events:
                async for event in events:
                    if event.event == "figures":
                        self._figures = event.data
                    else:
                        self._heartbeat = True
                    self._arrived.set()
        except ApiError as error:
            log.info("the live figures end: %s", type(error).__name__)

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self._arrived.set()

    async def wait(self, seconds: float | None) -> None:
        """Until something arrived or the stream ended, for at most so many seconds (None: however long it takes)."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), seconds)
        if not self.ended:
            self._arrived.clear()

    def take(self) -> Json | None:
        """The newest figures, once; None where there are none."""
        data, self._figures = self._figures, None
        return None if data is None else dict(json.loads(data))

    def take_heartbeat(self) -> bool:
        """Whether a heartbeat came since this was asked last."""
        came, self._heartbeat = self._heartbeat, False
        return came


async def pushes(view: View, program_id: str, days: int) -> AsyncIterator[str]:
    """Each time `metrics` pushes: what the person's dashboard shows."""
    yield "retry: 2000\n\n"
    newest = Newest()
    reading = asyncio.ensure_future(newest.read(view, program_id, days))
    reading.add_done_callback(lambda _: newest.end())
    charts = Charts(view, days)
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            while True:
                await newest.wait(min(HELD_SECONDS, due) if (due := charts.due_in()) is not None else HELD_SECONDS)
                if not await holds(view):
                    yield f"event: ended\ndata: {await why_ended(view)}\n\n"
                    return
                if (found := newest.take()) is not None:
                    shown = {tile.key: [tile.text, tile.detail] for tile in tiles(view.language, found, {})}
                    yield f"event: figures\ndata: {json.dumps(shown)}\n\n"
                    charts.moved(found)
                elif newest.take_heartbeat():
                    yield ": heartbeat\n\n"
                elif newest.ended:
                    if (path := await cut_off(view)) is not None:
                        yield f"event: ended\ndata: {path}\n\n"
                    return
                if charts.due_in() == 0 and (html := await charts.render()):
                    yield "event: charts\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
                await asyncio.sleep(AT_MOST_EVERY)
    except TimeoutError:
        return
    finally:
        reading.cancel()


async def holds(view: View) -> bool:
    """Whether the session of the stream was not ended by another request."""
    assert view.session is not None
    try:
        return await view.context.sessions.holds(view.session)
    except PyMongoError:  # a database that is away for a moment signs nobody out
        return True


async def why_ended(view: View) -> str:
    """Where a person goes whose session was ended by another request: which may have met that they have no access."""
    with suppress(TimeoutError):
        async with asyncio.timeout(WHY_SECONDS):
            return await cut_off(view) or "/welcome"
    return "/welcome"


async def cut_off(view: View) -> str | None:
    """Where a person goes who has no access any more; None for one who has."""
    try:
        await view.apis.get("program", v1("me"))
    except CutOff:
        return await end_access(view)
    except ApiError:
        return None
    return None


class Charts:
    """The charts of a dashboard that stays open, drawn from what was pushed and not more often than one can look."""

    def __init__(self, view: View, days: int) -> None:
        self._view = view
        self._days = days
        self._clock = asyncio.get_running_loop().time
        self._pushed: Json | None = None
        self._next = 0.0
        self._shown = ""
        self._titles: dict[str, str] = {}

    def moved(self, pushed: Json) -> None:
        self._pushed = pushed

    def due_in(self) -> float | None:
        """Seconds until they are to be drawn; None where nothing moved."""
        return None if self._pushed is None else max(0.0, self._next - self._clock())

    async def render(self) -> str:
        """The charts as HTML; empty where they look as before."""
        assert self._pushed is not None
        pushed, self._pushed = self._pushed, None
        self._next = self._clock() + CHARTS_EVERY
        series = {f"{name}_series": {"items": pushed["series"][by]} for name, by in SERIES.items()}
        unknown = [row for row in pushed["series"]["content"][:BEST] if row["key"] not in self._titles]
        self._titles |= await titles_of(self._view, unknown)
        shown = {"days": self._days, "titles": self._titles, "objectives": {"items": pushed["objectives"]}, **series}
        found = await asyncio.to_thread(self._view.render, "manage/_charts.html", **shown)
        if found == self._shown:
            return ""
        self._shown = found
        return found


async def board(view: View, days: int) -> dict[str, Any]:
    """Everything on the dashboard; what a service cannot give is Missing and the rest stands."""
    program = view.require_program()
    start, end = period(view, days)
    of = ("programs", program.id)
    span = {"from": start, "to": end}

    def series(by: str, **more: Any) -> Any:
        return view.apis.get("metrics", v1(*of, "series"), by=by, **more, **span)

    found = await view.gather(
        figures=view.apis.get("metrics", v1(*of, "figures"), **span),
        definitions=view.apis.get("metrics", v1("definitions"), language=view.language.of_herald),
        days_series=series("day"),
        networks_series=series("network"),
        countries_series=series("country"),
        contents_series=series("content", limit=BEST),
        objectives=view.apis.get("metrics", v1(*of, "objectives")),
    )
    figures, definitions = found["figures"], found["definitions"]
    shown = [] if isinstance(figures, Missing) else tiles(view.language, figures, definitions)
    contents = found["contents_series"]
    rows = [] if isinstance(contents, Missing) else contents["items"]
    titles = await titles_of(view, rows[:BEST])
    return {**found, "tiles": shown, "titles": titles, "start": start, "end": end}


async def titles_of(view: View, rows: list[Json]) -> dict[str, str]:
    """The titles of the items of these lines, marked as being in their language; an editor's view of them is not needed
    for that."""
    paths = {}
    for row in rows:
        with suppress(NoSuchPath):
            paths[str(row["key"])] = v1("items", str(row["key"]))
    items = await view.gather_all({one: view.apis.get("content", path) for one, path in paths.items()})
    known = {
        one: variant_in(item, view.language.code)
        for one, item in items.items()
        if not isinstance(item, Missing) and item.get("variants")
    }
    return {one: view.language.marked(found["title"], found["language"]) for one, found in known.items()}


def period(view: View, days: int) -> tuple[str, str]:
    """The first and last day of the last `days` days, in the programme's time zone."""
    today = view.now.astimezone(known_zone(view.language.zone)).date()
    return (today - timedelta(days=days - 1)).isoformat(), today.isoformat()
