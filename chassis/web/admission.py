"""Who gets in, and when: a request holds a place of the process only while there is work to do for it.

In this order: who sends it and whether they may (`authorize`), the announced size of the body, the body itself, then a
place. A client that is unknown, or that never sends its body, holds nothing. How long a body may take is
`chassis.web.protocol`'s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from opentelemetry.metrics import Observation
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.telemetry.otel import Telemetry
from chassis.web.problems import Overloaded, Problem, TooLarge

STREAMS = 1000
MAX_BUFFERED = 256 * 1024 * 1024
"""Bytes of bodies that a process holds at once; requests beyond them are answered 503."""
PIECE = 128 * 1024
"""Bytes of a body that an application is given at once: a form is read as it comes."""
Authorize = Callable[[Scope], Awaitable[Response | None]]


class Admission:
    """Refuses bodies that are too large, strangers' bodies, and requests beyond what the process can hold at once.

    `authorize` is asked before anything about a body is; what it answers is sent instead of asking the application. An
    open stream of events holds no place of a request; beyond `STREAMS` of them, further ones do.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        concurrency: int,
        max_body: Callable[[str], int],
        telemetry: Telemetry,
        authorize: Authorize,
    ) -> None:
        self._app = app
        self._most = self._free = concurrency
        self._streams = 0
        self._buffered = 0
        self._max_body = max_body
        self._authorize = authorize
        self._refused = telemetry.counter(
            "herald.http.refused", "Requests answered 503 because too many were under way"
        )
        telemetry.meter.create_observable_gauge(
            "herald.http.under_way",
            callbacks=[lambda _: [Observation(self._most - self._free)]],
            description="Requests under way, without open streams of events",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _has_body(scope):
            await self._admit(scope, receive, send)
            return
        refused = await self._authorize(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        allowed = self._max_body(_path(scope))
        if _announced(scope) > allowed:
            await problem_response(_too_large(allowed))(scope, receive, send)
            return
        body = bytearray()
        try:
            whole = await self._read(body, allowed, receive)
            if whole:
                await self._admit(scope, _replayed(body, receive), send)
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
        finally:
            self._buffered -= len(body)

    async def _read(self, body: bytearray, allowed: int, receive: Receive) -> bool:
        """Read the whole body; False if the client left. Raises TooLarge, Overloaded."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            part = message.get("body", b"")
            if len(body) + len(part) > allowed:
                raise _too_large(allowed)
            if self._buffered + len(part) > MAX_BUFFERED:
                self._refused.add(1)
                raise Overloaded
            body += part
            self._buffered += len(part)
            if not message.get("more_body", False):
                return True

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._free <= 0 and not _path(scope).startswith(("/health/", "/metrics")):
            self._refused.add(1)
            await problem_response(Overloaded())(scope, receive, send)
            return
        streams = False

        async def watched(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start" and self._streams < STREAMS and _is_stream(message):
                streams = True
                self._streams += 1
                self._free += 1
            await send(message)

        self._free -= 1
        try:
            await self._app(scope, receive, watched)
        finally:
            if streams:
                self._streams -= 1
            else:
                self._free += 1


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


def _path(scope: Scope) -> str:
    """The path as the application's routes have it, without the prefix that it is mounted under."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _is_stream(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"])


def _replayed(body: bytearray, receive: Receive) -> Receive:
    """`receive` after the body was read: the body in pieces, between which others get their turn, then what comes."""
    at, whole = 0, False

    async def replayed() -> Message:
        nonlocal at, whole
        if whole:
            return await receive()
        if at:
            await asyncio.sleep(0)
        piece = bytes(body[at : at + PIECE])
        at += len(piece)
        whole = at >= len(body)
        return {"type": "http.request", "body": piece, "more_body": not whole}

    return replayed


def _too_large(allowed: int) -> TooLarge:
    return TooLarge(f"At most {allowed} bytes.", limit=allowed)


def problem_response(problem: Problem) -> Response:
    """A problem as a response, outside of a FastAPI application."""
    return Response(
        json.dumps(problem.marshal()),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=dict(problem.headers or {}),
    )
