"""What a client may send, how long it may take, and what it is told otherwise. No socket: bytes in, bytes out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from chassis.settings import HttpLimits
from chassis.web.protocol import BoundedHttpProtocol, bounded

LIMITS = HttpLimits(header_bytes=1000, header_seconds=2, body_gap_seconds=3, body_seconds=10, read_seconds=5)
HEAD = b"POST /x HTTP/1.1\r\nhost: h\r\n"


class Transport:
    """What the protocol writes, and whether it let go of the client."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def application(_: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def connection() -> tuple[BoundedHttpProtocol, Transport]:
    config = Config(application, lifespan="off", log_config=None, ws="none")
    config.load()
    protocol = bounded(BoundedHttpProtocol, LIMITS)(config, ServerState(), {})
    transport = Transport()
    protocol.connection_made(transport)  # type: ignore[arg-type]
    return protocol, transport


Connection = tuple[BoundedHttpProtocol, Transport]


async def answered(transport: Transport) -> bytes:
    async with asyncio.timeout(2):
        while not transport.written:
            await asyncio.sleep(0)
    return transport.written


async def test_a_request_within_the_limits_is_answered(connection: Connection) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD + b"content-length: 2\r\n\r\nhi")
    assert (await answered(transport)).startswith(b"HTTP/1.1 200 OK")
    assert protocol.overdue(time.monotonic() + 1000) is None


@pytest.mark.parametrize("parts", [1, 40], ids=["at once", "in parts"])
async def test_headers_that_are_too_large_are_refused(connection: Connection, parts: int) -> None:
    protocol, transport = connection
    data = HEAD + b"x: " + b"a" * 2000
    for start in range(0, len(data), len(data) // parts):
        if not transport.closed:
            protocol.data_received(data[start : start + len(data) // parts])
    assert transport.written.startswith(b"HTTP/1.1 431")
    assert transport.closed
    assert len(protocol.headers or []) <= 2


async def test_whole_headers_in_one_piece_are_measured_too(connection: Connection) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD + b"x: " + b"a" * 2000 + b"\r\ncontent-length: 2\r\n\r\nhi")
    assert transport.written.startswith(b"HTTP/1.1 431")


async def test_a_large_body_is_no_large_header(connection: Connection) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD + b"content-length: 5000\r\n\r\n" + b"a" * 5000)
    assert (await answered(transport)).startswith(b"HTTP/1.1 200 OK")


async def test_a_silent_connection_is_closed_without_a_word(connection: Connection) -> None:
    protocol, transport = connection
    now = time.monotonic()
    assert protocol.overdue(now + 1) is None
    assert protocol.overdue(now + 3) == "header"
    protocol.close_timed_out("header")
    assert transport.closed
    assert transport.written == b""


async def test_headers_that_do_not_end_are_timed_from_their_first_byte_on_a_used_connection(
    connection: Connection,
) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD + b"content-length: 0\r\n\r\n")
    await answered(transport)
    protocol.data_received(b"GET /slow")
    now = time.monotonic()
    assert protocol.overdue(now + 1) is None
    assert protocol.overdue(now + 3) == "header"
    transport.written = b""
    protocol.close_timed_out("header")
    assert transport.written.startswith(b"HTTP/1.1 408")
    assert transport.closed


async def test_a_body_has_a_limit_between_bytes_and_one_for_all(connection: Connection) -> None:
    protocol, transport = connection
    protocol.data_received(HEAD + b"content-length: 100\r\n\r\na")
    now = time.monotonic()
    assert protocol.overdue(now + 2) is None
    assert protocol.overdue(now + 4) == "body"
    protocol._last_byte = now + 9
    assert protocol.overdue(now + 11) == "body"
    protocol.close_timed_out("body")
    assert transport.written.startswith(b"HTTP/1.1 408")


async def test_a_body_that_the_server_does_not_read_yet_is_no_fault_of_the_client(connection: Connection) -> None:
    protocol, _ = connection
    protocol.data_received(HEAD + b"content-length: 100\r\n\r\na")
    protocol.flow.pause_reading()
    assert protocol.overdue(time.monotonic() + 1000) is None


async def test_an_answer_that_nobody_reads_is_given_up(connection: Connection) -> None:
    protocol, transport = connection
    protocol.pause_writing()
    now = time.monotonic()
    assert protocol.overdue(now + 4) != "response"
    assert protocol.overdue(now + 6) == "response"
    protocol.close_timed_out("response")
    assert transport.aborted


@pytest.mark.parametrize(
    "hosts",
    [b"", b"host: a\r\nhost: a\r\n", b"host: a\r\nhost: b\r\n", b"host: a/b\r\n", b"host: u@h\r\n", b"host: a b\r\n"],
)
async def test_a_request_names_one_host(connection: Connection, hosts: bytes) -> None:
    protocol, transport = connection
    protocol.data_received(b"GET /x HTTP/1.1\r\n" + hosts + b"\r\n")
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    assert transport.closed


@pytest.mark.parametrize(
    "head",
    [
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nhost: [::1]:80\r\n\r\n",
        b"GET /x HTTP/1.1\r\nhost: h.example\r\n\r\n",
    ],
)
async def test_a_host_as_browsers_name_it_is_taken(connection: Connection, head: bytes) -> None:
    protocol, transport = connection
    protocol.data_received(head)
    assert (await answered(transport)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("line", [b"GET /x", b"GET /x HTTP/0.9", b"GET /x HTTP/2.0"])
async def test_what_is_not_http_1_is_refused(connection: Connection, line: bytes) -> None:
    protocol, transport = connection
    protocol.data_received(line + b"\r\nhost: h\r\n\r\n")
    assert (await answered(transport)).startswith(b"HTTP/1.1 505 ")
    assert transport.closed
