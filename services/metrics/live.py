"""Figures as they move: one change stream a process on the pulse documents, fanned out to whoever listens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from chassis.clock import Clock
from chassis.mongo import Document
from chassis.supervisor import Supervisor
from chassis.telemetry.otel import Telemetry, extract
from chassis.web.problems import Overloaded
from services.metrics import queries
from services.metrics.domain.periods import zone
from services.metrics.queries import Slice
from services.metrics.store import Store

logger = logging.getLogger(__name__)
State = tuple[int, str]
HEARTBEAT_SECONDS = 15.0
SETTLE_SECONDS = 0.1
"""From one push to the next; longer where a push takes more than half of it."""
POLL_SECONDS = 1.0
MAX_LISTENERS = 100


def _failed(task: asyncio.Future[bytes]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


class Live:
    """Tells listeners of a programme when its figures moved. Slow listeners miss beats, never figures."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor
        self._clock = clock
        self._tracer = telemetry.tracer
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._somebody = asyncio.Event()
        self._pushed: dict[str, tuple[State, asyncio.Future[bytes]]] = {}
        self._stop: asyncio.Event | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the pulse while somebody listens, until `stop`; polls it for a while when the stream breaks.

        Nobody pays for a stream that nobody needs: MongoDB reads every write for each.
        """
        self._stop = stop
        try:
            async with self._supervisor.beside("live changes", self._watch):
                await stop.wait()
        finally:
            self._wake_all()

    async def _watch(self) -> None:
        while await self._somebody.wait():
            try:
                async with await self._store.pulse.watch(max_await_time_ms=1_000) as stream:
                    self._wake_all()
                    while self._listeners:
                        change = await stream.try_next()
                        if change is not None:
                            self._wake(change["documentKey"]["_id"])
                continue
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

    def check_room(self) -> None:
        """Raises Overloaded where this process has as many listeners as it can hold beside its requests."""
        if sum(map(len, self._listeners.values())) >= MAX_LISTENERS:
            raise Overloaded("Too many listen already.", retry_after=5)

    @contextmanager
    def _listening(self, program_id: str) -> Iterator[asyncio.Event]:
        moved = asyncio.Event()
        self._listeners[program_id].add(moved)
        self._somebody.set()
        try:
            yield moved
        finally:
            self._listeners[program_id].discard(moved)
            if not self._listeners[program_id]:
                del self._listeners[program_id]
                self._pushed.pop(program_id, None)
            if not self._listeners:
                self._somebody.clear()

    async def stream(
        self, program: Document, *, may_listen: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[bytes]:
        """Server-sent events: `figures` at once, whenever they moved and when a new day begins; comments in between.

        `may_listen` is asked at least every 15 s: who was cut off hears no more. A database that is away for a
        moment delays the next event and ends nothing.
        """
        with self._listening(program["_id"]) as moved:
            last: State | None = None
            asked = time.monotonic()
            while self._stop is None or not self._stop.is_set():
                moved.clear()
                began = time.monotonic()
                try:
                    if may_listen is not None and time.monotonic() - asked > HEARTBEAT_SECONDS:
                        asked = time.monotonic()
                        if not await may_listen():
                            return
                    state, message = await self._message(program)
                except PyMongoError as error:
                    logger.info("the figures cannot be read for a while: %s", type(error).__name__)
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                if state != last:
                    last, took = state, time.monotonic() - began
                    yield message
                    await asyncio.sleep(max(SETTLE_SECONDS - took, took))
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), HEARTBEAT_SECONDS)
                    continue
                yield b": still here\n\n"

    async def _message(self, program: Document) -> tuple[State, bytes]:
        """The present figures: made once for each state of a programme, however many listen."""
        beat = await self._store.beat_of(program["_id"])
        today = self._clock.now().astimezone(zone(program["time_zone"])).date().isoformat()
        state = (beat["beats"] if beat else 0, today)
        known = self._pushed.get(program["_id"])
        if known is None or known[0] != state or _failed(known[1]):
            known = (state, asyncio.ensure_future(self._push(program, beat)))
            self._pushed[program["_id"]] = known
        return state, await asyncio.shield(known[1])

    async def _push(self, program: Document, beat: Document | None) -> bytes:
        parent = extract(beat["traceparent"] if beat else None)
        with self._tracer.start_as_current_span("push figures", context=parent, kind=SpanKind.SERVER) as span:
            span.set_attribute("herald.program.id", program["_id"])
            now = self._clock.now()
            period = queries.period_of(None, None, program["time_zone"], now)
            figures, objective = await asyncio.gather(
                queries.figures(self._store, program, period, Slice()),
                queries.objective_view(self._store, program, now),
            )
            data: dict[str, Any] = {
                "period": {"from": period.first.isoformat(), "to": period.last.isoformat()},
                "figures": figures,
                "objective": objective,
            }
            beats = beat["beats"] if beat else 0
            return b"event: figures\nid: %d\ndata: %s\n\n" % (beats, orjson.dumps(data))
