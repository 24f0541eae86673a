"""What is the same for the answers of every HTTP application: HEAD, failures, caches, and which methods there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
Answer = Callable[[Request, Exception], Awaitable[Response]]


class HeadAsGet:
    """HEAD is answered wherever GET is, with the same headers and no body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def without_body(message: Message) -> None:
            if answered.is_set():
                return
            if message["type"] == "http.response.start":
                await send(message)
            else:
                answered.set()
                await send({"type": "http.response.body", "body": b""})

        working = asyncio.ensure_future(self._app({**scope, "method": "GET"}, receive, without_body))
        waiting = asyncio.ensure_future(answered.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            waiting.cancel()
            working.cancel()  # a stream has no end of its own
            await asyncio.gather(working, return_exceptions=True)


class AnswerFailures:
    """A failure that nothing else answers is answered here, before Starlette does so outside of every middleware: with
    the headers that all answers have, one log entry, and the connection kept."""

    def __init__(self, app: ASGIApp, *, answer: Answer) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun:
                raise  # only a broken connection says that the answer is not whole
            response = await self._answer(Request(scope, receive), error)
            await response(scope, receive, send)


class NoStore:
    """No cache keeps an answer that does not say otherwise: most of them tell of persons."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def uncached(message: Message) -> None:
            if message["type"] == "http.response.start" and not any(
                name == b"cache-control" for name, _ in message["headers"]
            ):
                message = {**message, "headers": [*message["headers"], (b"cache-control", b"no-store")]}
            await send(message)

        await self._app(scope, receive, uncached if scope["type"] == "http" else send)


def allowed_methods(routes: Iterable[BaseRoute], scope: Scope) -> str:
    """The `Allow` of an address: what any route there takes."""
    found: set[str] = set()
    for route in routes:
        if route.matches(scope)[0] is not Match.NONE:
            found.update(getattr(route, "methods", None) or ())
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(method for method in _METHODS if method in found)
