"""Role `links`: the public redirect, a bare ASGI application.

`GET /l/{code}` leads to the stored target once the click is kept (`click_producer.py`). Of a request only what a click
needs is read, and only this is kept: the day's keyed hash, the kind of agent, and the referrer's host.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, StatusCode, TraceFlags
from pymongo.errors import PyMongoError
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.supervisor import Task
from chassis.tasks import sleep_or_event
from chassis.telemetry.otel import exposition, inject
from chassis.web.health import MEDIA_TYPE, health_answer
from chassis.web.problems import TooManyRequests
from chassis.web.protocol import BoundedHttpProtocol
from chassis.web.proxies import TrustedProxies
from herald_contracts import Record
from services.sharing.redirect.click_policy import PURPOSES, agent_of
from services.sharing.redirect.click_producer import ClickProducer
from services.sharing.redirect.pages import POLICY, language_of, page
from services.sharing.redirect.short_link import ShortLink, untraced
from services.sharing.redirect.target_cache import TargetCache
from services.sharing.redirect.telemetry import Headers, Latency, Tracing
from services.sharing.redirect.visitors import referrer_host, visitor_of
from services.sharing.settings import SharingSettings

logger = logging.getLogger(__name__)
CODE = re.compile(r"[A-Za-z0-9_-]{4,32}")
SHARED = re.compile(r"([A-Za-z0-9_-]{3,31}[A-Za-z0-9])[^A-Za-z0-9]{1,16}")
"""A code with what was copied along with it, as a sentence ends or a bracket closes behind a link."""
PURPOSE_HEADERS = frozenset(name.encode() for name in PURPOSES)
_EMPTY = {"type": "http.response.body", "body": b""}


class Moment:
    """The present as text, made once for all clicks of the same millisecond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = datetime.min.replace(tzinfo=UTC)
        self._text: tuple[str, str, str | None] = ("", "", None)

    def now(self) -> tuple[str, str, str | None]:
        """Time and day, RFC 3339 in UTC; and the day before, in the first hour of a day."""
        at = self._clock.now()
        if at != self._at:
            text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            before = (at - timedelta(days=1)).date().isoformat() if at.hour == 0 else None
            self._at, self._text = at, (text, text[:10], before)
        return self._text


class RedirectServer:
    """The redirect and its life. Health: `/health/live`, `/health/ready`; metrics: `/metrics`."""

    def __init__(
        self, runtime: Runtime, settings: SharingSettings, clock: Clock, cache: TargetCache, log: ClickProducer
    ) -> None:
        self._runtime = runtime
        self._cache = cache
        self._log = log
        self._key = settings.hash_key
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._moment = Moment(clock)
        self._most = settings.max_waiting_clicks
        self._grace = settings.grace
        self.last_seconds = settings.spool_grace
        self._rate_unknown = settings.rate_unknown_codes
        self._tracing = Tracing(runtime, settings.links_traces)
        self._latency = Latency()
        runtime.telemetry.registry.register(self._latency)
        self._stop = asyncio.Event()
        self._running: Task | None = None
        self._ready = False
        self._under_way = 0
        self._arrived: asyncio.Event | None = None
        self._untraced = NonRecordingSpan(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(0)))

    # --- life ------------------------------------------------------------------------------------------------

    @property
    def app(self) -> ASGIApp:
        return self

    @property
    def protocol(self) -> type[BoundedHttpProtocol]:
        from services.sharing.redirect.protocol import RedirectProtocol

        return RedirectProtocol

    async def start(self) -> None:
        """Keep clicks; ready once MongoDB has answered (later, what is cached is enough)."""
        if self._running is None:
            self._running = self._runtime.supervisor.start("clicks", partial(self._log.run, self._stop), self._stop)
        while not self._stop.is_set() and not self._ready:
            try:
                await self._runtime.mongo.ping()
                self._ready = True
            except PyMongoError as error:
                logger.warning("links wait for MongoDB: %s", type(error).__name__)
                await sleep_or_event(1, self._stop)

    async def stop(self) -> None:
        """Let visitors under way arrive, keep their clicks, and end."""
        self._ready = False
        if self._under_way:
            self._arrived = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), self._grace / 2)
        self._stop.set()
        if self._running is not None:
            await self._running.end(within=self._grace / 3 + self.last_seconds)

    # --- requests --------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith("/l/"):
            await self._visit(scope, path[3:], send)
        else:
            await self._other(path, scope, send)

    def take(self, code: str, peer: str, headers: Headers, answer: Callable[[ShortLink], None]) -> bool:
        """Send the click (a GET) of a link that is at hand to Kafka, and have it answered once it is kept.

        False where more is needed to answer; then nothing happened.
        """
        link = self._cache.get(code)
        if link is None or self._log.waiting >= self._most:
            return False
        began = time.perf_counter()
        self._under_way += 1
        span = self._tracing.begin("GET", headers, trusted=self._proxies.trust(peer))
        record, sending = self._click(link, "GET", peer, headers, span)
        self._log.put(record, partial(self._kept, began, span, sending, answer, link))
        return True

    def _kept(
        self,
        began: float,
        span: Span | None,
        sending: Span | None,
        answer: Callable[[ShortLink], None],
        link: ShortLink,
    ) -> None:
        if sending is not None:
            sending.end()
        self._left(began, 302, span)
        answer(link)

    async def _visit(self, scope: Scope, code: str, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        client = scope.get("client")
        peer = client[0] if client else ""
        self._under_way += 1
        began, status = time.perf_counter(), 500
        span = self._tracing.begin(scope["method"], headers, trusted=self._proxies.trust(peer))
        try:
            status = await self._follow(scope["method"], code, peer, headers, span, send)
        finally:
            self._left(began, status, span)

    def _left(self, began: float, status: int, span: Span | None) -> None:
        _answered(span, status)
        self._under_way -= 1
        if self._arrived is not None and not self._under_way:
            self._arrived.set()
        self._latency.observe(time.perf_counter() - began, status, span)

    async def _follow(self, method: str, code: str, peer: str, headers: Headers, span: Span | None, send: Send) -> int:
        """Answer; returns the status."""
        if method not in ("GET", "HEAD"):
            await _problem(send, 405, "method", "This method is not offered here.", allow=b"GET, HEAD")
            return 405
        if self._log.waiting >= self._most:
            await _page(send, 503, "busy", method, headers)
            return 503
        try:
            link = await self._find(code, span)
            if link is not None:
                record, sending = self._click(link, method, peer, headers, span)
                kept = asyncio.Event()
                self._log.put(record, kept.set)
                await kept.wait()
                if sending is not None:
                    sending.end()
                await send(link.found)
                await send(_EMPTY)
                return 302
            origin = self._proxies.origin(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1"))
            await self._runtime.rate_limits.hit("unknown_codes", self._rate_unknown, origin)
            await _page(send, 404, "missing", method, headers)
            return 404
        except TooManyRequests as refused:
            await _page(send, 429, "too-many", method, headers, refused.headers or {})
            return 429
        except PyMongoError as error:
            logger.warning("a link cannot be looked up: %s", type(error).__name__)
            await _page(send, 503, "busy", method, headers)
            return 503

    async def _find(self, code: str, span: Span | None) -> ShortLink | None:
        """The link of a code, or of a code with something behind it that is none of its letters."""
        if CODE.fullmatch(code) is None:
            shared = SHARED.fullmatch(code)
            if shared is None:
                return None
            code = shared[1]
        with trace.use_span(span or self._untraced):
            return self._cache.get(code) or await self._cache.find(code)

    def _click(
        self, link: ShortLink, method: str, peer: str, headers: Headers, span: Span | None
    ) -> tuple[Record, Span | None]:
        """The click's record, and the span of its sending where it is traced."""
        moment, day, day_before = self._moment.now()
        browser = headers.get(b"user-agent", b"").decode("latin-1")
        purpose = purpose_of(headers)
        visitor = yesterday = None
        if headers.get(b"sec-gpc") != b"1" and headers.get(b"dnt") != b"1":
            forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
            origin = self._proxies.origin(peer, forwarded)
            visitor = visitor_of(self._key, origin, browser, day)
            if day_before is not None:
                yesterday = visitor_of(self._key, origin, browser, day_before)
        referrer = headers.get(b"referer")
        id = new_id()
        sending, parent = None, untraced(id)
        if span is not None:
            sending = self._tracing.send(span, id)
            parent = inject(trace.set_span_in_context(sending))[0] or parent
        record = link.click(
            id=id,
            time=moment,
            agent=agent_of(method, browser, purpose),
            visitor=visitor,
            visitor_yesterday=yesterday,
            referrer=referrer_host(referrer.decode("latin-1")) if referrer else None,
            traceparent=parent,
        )
        return record, sending

    async def _other(self, path: str, scope: Scope, send: Send) -> None:
        if path == "/health/live":
            await _state(send, self._runtime.supervisor.failing())
        elif path == "/health/ready":
            await _state(send, [] if self._ready else ["starting" if not self._stop.is_set() else "ending"])
        elif path == "/metrics":
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            body, media_type = await asyncio.to_thread(exposition, [self._runtime.telemetry], accept)
            await _answer(send, 200, body, media_type.encode())
        else:
            await _page(send, 404, "missing", scope["method"], dict(scope["headers"]))


def purpose_of(headers: Headers) -> str:
    """All that a request says of why it was made."""
    if PURPOSE_HEADERS.isdisjoint(headers):
        return ""
    return " ".join(headers[name].decode("latin-1") for name in PURPOSE_HEADERS if name in headers)


def _answered(span: Span | None, status: int) -> None:
    if span is not None:
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()


async def _answer(send: Send, status: int, body: bytes, media_type: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _state(send: Send, reasons: list[str]) -> None:
    status, body = health_answer(reasons)
    await _answer(send, status, body, MEDIA_TYPE.encode())


async def _problem(send: Send, status: int, type_: str, title: str, *, allow: bytes) -> None:
    document: dict[str, Any] = {"type": type_, "title": title, "status": status}
    await _answer(send, status, json.dumps(document).encode(), b"application/problem+json", (b"allow", allow))


async def _page(
    send: Send, status: int, what: str, method: str, headers: Headers, said: Mapping[str, str] | None = None
) -> None:
    body = page(what, language_of(headers.get(b"accept-language", b"").decode("latin-1")))
    more = [
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept-Language"),
        (b"content-security-policy", POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    more += [(name.lower().encode(), value.encode()) for name, value in (said or {}).items()]
    if status == 503:
        more.append((b"retry-after", b"2"))
    start = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
