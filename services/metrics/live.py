"""Figures as they move: one change stream a process on the pulse documents, fanned out to whoever listens."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from chassis.clock import Clock
from chassis.mongo import Document
from chassis.telemetry import Telemetry, extract
from services.metrics import queries
from services.metrics.queries import Slice
from services.metrics.store import Store

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 15.0
SETTLE_SECONDS = 0.15
POLL_SECONDS = 1.0


class Live:
    """Tells listeners of a programme when its figures moved. Slow listeners miss beats, never figures."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry) -> None:
        self._store = store
        self._clock = clock
        self._tracer = telemetry.tracer
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._stop: asyncio.Event | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the pulse until `stop`; polls it for a while when the stream breaks. Never raises."""
        self._stop = stop
        watching = asyncio.ensure_future(self._watch())
        await stop.wait()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        self._wake_all()

    async def _watch(self) -> None:
        while True:
            try:
                async with await self._store.pulse.watch(max_await_time_ms=1_000) as stream:
                    self._wake_all()
                    async for change in stream:
                        self._wake(change["documentKey"]["_id"])
            except PyMongoError as error:
                logger.info("the pulse is polled for a while: %s", type(error).__name__)
            self._wake_all()
            await asyncio.sleep(POLL_SECONDS)

    def _wake(self, program_id: str) -> None:
        for event in self._listeners.get(program_id, ()):
            event.set()

    def _wake_all(self) -> None:
        for program_id in list(self._listeners):
            self._wake(program_id)

    @contextmanager
    def _listening(self, program_id: str) -> Iterator[asyncio.Event]:
        moved = asyncio.Event()
        self._listeners[program_id].add(moved)
        try:
            yield moved
        finally:
            self._listeners[program_id].discard(moved)
            if not self._listeners[program_id]:
                del self._listeners[program_id]

    async def stream(self, program: Document) -> AsyncIterator[bytes]:
        """Server-sent events: `figures` at once and whenever they moved, comments in between."""
        with self._listening(program["_id"]) as moved:
            last = -1
            while self._stop is None or not self._stop.is_set():
                moved.clear()
                beat = await self._store.beat_of(program["_id"])
                beats = beat["beats"] if beat else 0
                if beats != last:
                    last = beats
                    yield await self._push(program, beat)
                    await asyncio.sleep(SETTLE_SECONDS)
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), HEARTBEAT_SECONDS)
                    continue
                yield b": still here\n\n"

    async def _push(self, program: Document, beat: Document | None) -> bytes:
        parent = extract(beat["traceparent"] if beat else None)
        with self._tracer.start_as_current_span("push figures", context=parent, kind=SpanKind.SERVER) as span:
            span.set_attribute("herald.program.id", program["_id"])
            now = self._clock.now()
            period = queries.period_of(None, None, program["time_zone"], now)
            figures = await queries.figures(self._store, program, period, Slice())
            data: dict[str, Any] = {
                "period": {"from": period.first.isoformat(), "to": period.last.isoformat()},
                "figures": figures,
                "objective": await queries.objective_view(self._store, program, now),
            }
            beats = beat["beats"] if beat else 0
            return b"event: figures\nid: %d\ndata: %s\n\n" % (beats, orjson.dumps(data))
