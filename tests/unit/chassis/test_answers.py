"""HEAD, failures, caches and methods: the same of every HTTP application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from opentelemetry.trace import SpanContext
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from chassis.web.answers import AnswerFailures, HeadAsGet, NoStore, allowed_methods
from chassis.web.proxies import TrustedProxies
from chassis.web.traces import ForeignTraces

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def failed(_: Request, error: Exception) -> Response:
    logging.getLogger("here").error("failed")
    return PlainTextResponse(type(error).__name__, 500)


async def not_allowed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException) or hasattr(error, "status_code")
    return Response(status_code=405, headers={"Allow": allowed_methods(request.app.routes, request.scope)})


def application() -> FastAPI:
    app = FastAPI(redirect_slashes=False)

    @app.get("/things/{id}")
    async def get(id: str) -> Response:
        return PlainTextResponse(id)

    @app.put("/things/{id}")
    async def put(id: str) -> None: ...

    @app.get("/cached")
    async def cached() -> Response:
        return PlainTextResponse("x", headers={"Cache-Control": "max-age=5"})

    @app.get("/stream")
    async def stream() -> Response:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0)

        return StreamingResponse(endless())

    @app.get("/fails")
    async def fails() -> None:
        raise RuntimeError("a secret")

    app.add_exception_handler(405, not_allowed)
    app.add_middleware(AnswerFailures, answer=failed)
    app.add_middleware(NoStore)
    app.add_middleware(HeadAsGet)
    return app


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=application(), raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://herald.test")


async def test_head_is_answered_where_get_is() -> None:
    async with client() as there:
        got, head = await there.get("/things/a"), await there.head("/things/a")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == got.headers


@pytest.mark.timeout(10)
async def test_head_of_an_endless_stream_ends() -> None:
    async with client() as there:
        assert (await there.head("/stream")).status_code == 200


async def test_allow_names_the_methods_of_all_routes_of_an_address() -> None:
    async with client() as there:
        for method in ("POST", "DELETE"):
            answer = await there.request(method, "/things/a")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PUT")


async def test_a_failure_has_the_headers_of_all_answers_and_one_log_entry(caplog: pytest.LogCaptureFixture) -> None:
    async with client() as there:
        answer = await there.get("/fails")
    assert (answer.status_code, answer.text) == (500, "RuntimeError")
    assert answer.headers["cache-control"] == "no-store"
    assert [one.name for one in caplog.records if one.levelno >= logging.ERROR] == ["here"]


async def test_no_cache_keeps_what_does_not_say_otherwise() -> None:
    async with client() as there:
        assert (await there.get("/things/a")).headers["cache-control"] == "no-store"
        assert (await there.get("/cached")).headers.get_list("cache-control") == ["max-age=5"]


async def test_no_redirect_follows_host() -> None:
    async with client() as there:
        answer = await there.get("/cached/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize(("peer", "believed"), [("10.0.0.2", True), ("10.0.0.3", False), ("", False)])
async def test_only_a_trusted_proxy_says_which_trace_a_request_belongs_to(peer: str, believed: bool) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Any:
        return {}

    headers = [(b"traceparent", PARENT.encode()), (b"baggage", b"a=1"), (b"accept", b"x")]
    scope = {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}
    await ForeignTraces(app, TrustedProxies("10.0.0.2"))(scope, nothing, nothing)
    if believed:
        assert seen == [scope]
        return
    assert seen[0]["headers"] == [(b"accept", b"x")]
    linked: SpanContext = seen[0]["herald.foreign_trace"]
    assert f"{linked.trace_id:032x}" in PARENT
