"""The gateway between a real client and real upstreams, over sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from herald.development.gateway import Gateway, Route

DEADLINE = 10.0


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address of a server that runs `app`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", proxy_headers=False))
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Upstream:
    """Tells what it was asked, and streams for as long as it is listened to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.more = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.endswith("/stream"):
            await self._stream(receive, send)
        elif path.endswith("/breaks"):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RuntimeError("cut")
        else:
            await self._tell(scope, receive, send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await self.more.wait()
        await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        told = {
            "method": scope["method"],
            "raw_path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
            "root_path": scope.get("root_path", ""),
            "size": size,
        }
        body = json.dumps(told).encode()
        headers = [(b"content-length", str(len(body)).encode()), (b"x-kept", b"1"), (b"keep-alive", b"timeout=9")]
        headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@contextlib.asynccontextmanager
async def gateway(upstream: Upstream, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(upstream) as behind:
        routes = [
            Route("/api/sharing", behind),
            Route("/l", behind, strip=False),
            Route("/down", "http://127.0.0.1:1"),
            Route("/local", upstream),
        ]
        front = Gateway(routes, **options)  # type: ignore[arg-type]
        async with serving(front) as address, httpx.AsyncClient(base_url=address, timeout=DEADLINE) as client:
            yield client
        await front.close()


async def test_a_prefix_is_stripped_for_a_service_and_kept_for_links(upstream: Upstream) -> None:
    async with gateway(upstream) as client:
        told = (await client.get("/api/sharing/v1/posts%2Fx?cursor=a%20b")).json()
        assert (told["raw_path"], told["query"]) == ("/v1/posts%2Fx", "cursor=a%20b")
        assert told["headers"]["x-forwarded-prefix"] == "/api/sharing"
        assert (await client.get("/l/abcd")).json()["raw_path"] == "/l/abcd"
        assert (await client.get("/local/v1/x")).json()["root_path"] == "/local"
        assert (await client.get("/lx")).status_code == 404


async def test_what_a_client_claims_of_itself_is_overwritten(upstream: Upstream) -> None:
    lies = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=10.9.9.9",
        "X-Forwarded-User-Agent": "a lie",
        "X-Real-IP": "10.9.9.9",
    }
    async with gateway(upstream) as client:
        for path in ("/api/sharing/", "/local/"):
            headers = (await client.get(path, headers=lies)).json()["headers"]
            assert headers["x-forwarded-for"] == "127.0.0.1"
            assert headers["x-forwarded-proto"] == "http"
            assert headers["x-forwarded-host"] == client.base_url.netloc.decode()
            assert not {"forwarded", "x-real-ip", "x-forwarded-user-agent"} & headers.keys()


async def test_the_chain_of_a_trusted_proxy_is_continued(upstream: Upstream) -> None:
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-User-Agent": "Phone"}
    async with gateway(upstream, trusted="127.0.0.0/8") as client:
        headers = (await client.get("/api/sharing/", headers=said)).json()["headers"]
        assert headers["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"
        assert (headers["x-forwarded-proto"], headers["x-forwarded-user-agent"]) == ("https", "Phone")


async def test_neither_a_strangers_trace_nor_what_is_of_one_hop_passes(upstream: Upstream) -> None:
    sent = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "Connection": "x-of-hop", "X-Of-Hop": "1"}
    async with gateway(upstream) as client:
        answer = await client.get("/api/sharing/", headers={**sent, "TE": "trailers"})
        headers = answer.json()["headers"]
        assert not {"traceparent", "x-of-hop", "te"} & headers.keys()
        assert answer.headers["x-kept"] == "1"
        assert "keep-alive" not in answer.headers
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_a_stream_passes_piece_by_piece_and_ends_with_its_listener(upstream: Upstream) -> None:
    async with gateway(upstream) as client:
        async with client.stream("GET", "/api/sharing/stream") as answer:
            pieces = answer.aiter_text()
            assert await anext(pieces) == "data: 1\n\n"
            upstream.more.set()
            assert await anext(pieces) == "data: 2\n\n"
        async with asyncio.timeout(DEADLINE):
            await upstream.left.wait()


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_streams_up_to_the_limit_and_not_past_it(upstream: Upstream, declared: bool) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1000

    def body(count: int) -> bytes | AsyncIterator[bytes]:
        return b"x" * 1000 * count if declared else chunks(count)

    async with gateway(upstream, max_body=100_000) as client:
        assert (await client.post("/api/sharing/", content=body(100))).json()["size"] == 100_000
        refused = await client.post("/api/sharing/", content=body(101))
        assert (refused.status_code, refused.json()["type"]) == (413, "body-too-large")


async def test_a_head_request_has_no_body(upstream: Upstream) -> None:
    async with gateway(upstream) as client:
        answer = await client.head("/l/abcd")
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await client.get("/l/abcd")).json()["method"] == "GET"


async def test_an_upstream_that_is_down_is_a_problem_that_says_when_to_come_back(upstream: Upstream) -> None:
    async with gateway(upstream) as client:
        answer = await client.get("/down/x")
        assert (answer.status_code, answer.json()["type"]) == (503, "upstream-down")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_connection_that_is_refused_is_tried_once_more(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process behind a shared address ended, and others are there."""
    connect = aiohttp.TCPConnector.connect
    asked: list[object] = []

    async def first_refused(self: aiohttp.TCPConnector, request: Any, **how: Any) -> Any:
        asked.append(request.url)
        if len(asked) == 1:
            raise aiohttp.ClientConnectorError(request.connection_key, ConnectionRefusedError())
        return await connect(self, request, **how)

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", first_refused)
    async with gateway(upstream) as client:
        told = await client.post("/api/sharing/v1/posts", content=b"x" * 1000)
    assert (told.status_code, told.json()["size"], len(asked)) == (200, 1000, 2)


async def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(upstream: Upstream) -> None:
    async with gateway(upstream) as client:
        answer: httpx.Response | None = None
        with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
            answer = await client.get("/api/sharing/breaks")
        assert answer is None or answer.status_code == 502
