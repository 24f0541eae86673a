"""Figures as they move: one change stream a process on the figures' versions, fanned out to all listeners."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import orjson
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from chassis.clock import Clock
from chassis.mongo import Document
from chassis.supervisor import Supervisor
from chassis.telemetry.otel import Telemetry, extract
from chassis.web.problems import Overloaded
from services.metrics.domain.periods import zone
from services.metrics.store.changes import FiguresVersion
from services.metrics.store.facts import Store

logger = logging.getLogger(__name__)
Read = Callable[[Document, int, datetime, FiguresVersion], Awaitable[dict[str, Any]]]
"""Gives what is pushed of a programme's last days, as of at least a version."""
State = tuple[int, str]
HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
ASK_SECONDS = 0.2
"""Between two looks at a listener's rights: an import changes many persons at once."""
SETTLE_SECONDS = 0.1
"""From one push to the next; longer where a push takes more than half of it."""
POLL_SECONDS = 1.0
MAX_LISTENERS = 100


def _failed(task: asyncio.Future[bytes]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


class Live:
    """Tells listeners of a programme when its figures moved. Slow listeners miss pushes, never figures."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, supervisor: Supervisor, *, heartbeat: float
    ) -> None:
        self._store = store
        self._supervisor = supervisor
        self._clock = clock
        self._tracer = telemetry.tracer
        self._heartbeat = heartbeat
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._somebody = asyncio.Event()
        self._pushed: dict[tuple[str, int], tuple[State, asyncio.Future[bytes]]] = {}
        self._people = 0
        self._stop: asyncio.Event | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the versions while somebody listens, until `stop`; polls them for a while when the stream breaks.

        Without listeners there is no stream, because MongoDB reads every write for each.
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
                async with self._store.changes.watch() as changes:
                    self._people_changed()
                    async for one in changes:
                        if one is not None and one.kind == "person":
                            self._people_changed()
                        elif one is not None:
                            self._wake(one.id)
                        if not self._listeners:
                            break
                continue
            except PyMongoError as error:
                logger.info("the figures' versions are polled for a while: %s", type(error).__name__)
            self._people_changed()
            await asyncio.sleep(POLL_SECONDS)

    def _people_changed(self) -> None:
        """Somebody's rights may be others now: every listener is asked for theirs."""
        self._people += 1
        self._wake_all()

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
                for key in [key for key in self._pushed if key[0] == program_id]:
                    del self._pushed[key]
            if not self._listeners:
                self._somebody.clear()

    async def stream(
        self, program: Document, days: int, read: Read, *, may_listen: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[bytes]:
        """Server-sent events: `figures`, whole, at once, whenever they moved and when a new day begins; `heartbeat`
        after so many seconds without an event. A client that reconnects therefore starts from the present.

        `may_listen` is asked as often, and when something of persons changed: a person who lost their rights gets
        nothing more. A database
        that is away for a moment delays the next event and ends nothing.
        """
        with self._listening(program["_id"]) as moved:
            last: State | None = None
            asked = sent = time.monotonic()
            people = self._people
            while self._stop is None or not self._stop.is_set():
                moved.clear()
                began = time.monotonic()
                if began - sent >= self._heartbeat:
                    sent = began
                    yield HEARTBEAT
                try:
                    since = began - asked
                    changed = people != self._people
                    if may_listen is not None and (since >= self._heartbeat or (changed and since >= ASK_SECONDS)):
                        asked, people = began, self._people
                        if not await may_listen():
                            return
                    state, message = await self._message(program, days, read)
                except PyMongoError as error:
                    logger.info("the figures cannot be read for a while: %s", type(error).__name__)
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                if state != last:
                    last, sent = state, time.monotonic()
                    took = sent - began
                    yield message
                    await asyncio.sleep(max(SETTLE_SECONDS - took, took))
                    continue
                if people != self._people:
                    await asyncio.sleep(ASK_SECONDS)
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), max(0.0, sent + self._heartbeat - time.monotonic()))

    async def _message(self, program: Document, days: int, read: Read) -> tuple[State, bytes]:
        """The present figures: made once for each state of a programme, however many listen."""
        version = await self._store.changes.version_of(program["_id"])
        today = self._clock.now().astimezone(zone(program["time_zone"])).date().isoformat()
        state = (version.number, today)
        key = (program["_id"], days)
        known = self._pushed.get(key)
        if known is None or known[0] != state or _failed(known[1]):
            known = (state, asyncio.ensure_future(self._push(program, days, read, version)))
            self._pushed[key] = known
        return state, await asyncio.shield(known[1])

    async def _push(self, program: Document, days: int, read: Read, version: FiguresVersion) -> bytes:
        parent = extract(version.traceparent)
        with self._tracer.start_as_current_span("push figures", context=parent, kind=SpanKind.SERVER) as span:
            span.set_attribute("herald.program.id", program["_id"])
            found = await read(program, days, self._clock.now(), version)
            return b"event: figures\nid: %d\ndata: %s\n\n" % (found["version"], orjson.dumps(found))
