"""HTTP as uvicorn speaks it, with limits of time and size on what a client sends and reads.

Without them a silent, slow or endless client keeps its connection for as long as it likes. The limits are checked by
one task of the process (`close_overdue`), so that a request costs no timer of its own.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Collection
from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from chassis.settings import HttpLimits
from chassis.tasks import sleep_or_event

CHECK_SECONDS = 0.5
SPOKEN = ("1.1", "1.0")
_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class BoundedHttpProtocol(HttpToolsProtocol):
    """Answers 408 or 431 and closes where a client breaks a limit, 400 where it names no host or two. `bounded` gives
    it its limits."""

    limits: ClassVar[HttpLimits]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._header_bytes = 0
        self._header_since: float | None = time.monotonic()
        self._body_since: float | None = None
        self._last_byte = 0.0
        self._unread_since: float | None = None

    def data_received(self, data: bytes) -> None:
        self._last_byte = time.monotonic()
        if self._body_since is None:
            if self._header_since is None:
                self._header_since = self._last_byte
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_since is not None and self._header_bytes > self.limits.header_bytes:
            self._refuse(431, "headers-too-large", f"Headers have at most {self.limits.header_bytes} bytes.")

    def on_headers_complete(self) -> None:
        if self._header_bytes > self.limits.header_bytes and self._size() > self.limits.header_bytes:
            self._refuse(431, "headers-too-large", f"Headers have at most {self.limits.header_bytes} bytes.")
            return
        self._header_bytes, self._header_since = 0, None
        self._body_since = self._last_byte
        if self.parser.get_http_version() not in SPOKEN:
            self._refuse(505, "http-version", "HTTP/1.1 and HTTP/1.0 are spoken here.")
            return
        if self._names_no_host():
            self._refuse(400, "host", "A request names one host.")
            return
        self.begin_request()

    def begin_request(self) -> None:
        """The headers are whole: have the application answer."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_since = None
        if self._cycle is not None:
            super().on_message_complete()

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        """The last request; uvicorn's annotation leaves out that there is none at first."""
        return self.cycle

    def _names_no_host(self) -> bool:
        """RFC 9112, 3.2: a request without a host, with two, or with one that is none."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() != "1.0"
        return len(hosts) > 1 or _HOST.fullmatch(hosts[0]) is None

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def pause_writing(self) -> None:
        self._unread_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread_since = None
        super().resume_writing()

    def overdue(self, now: float) -> str | None:
        """Which limit of time this connection has broken: `header`, `body` or `response`."""
        limits = self.limits
        if self._unread_since is not None and now - self._unread_since > limits.read_seconds:
            return "response"
        if self._header_since is not None and now - self._header_since > limits.header_seconds:
            return "header"
        if self._body_since is not None and not self.flow.read_paused:
            waited = now - self._last_byte > limits.body_gap_seconds or now - self._body_since > limits.body_seconds
            return "body" if waited else None
        return None

    def close_timed_out(self, limit: str) -> None:
        """Let go of a client that is too slow, with an answer where one can still be given."""
        cycle = self._cycle
        if limit == "response" or (cycle is not None and not cycle.response_complete and cycle.response_started):
            self.transport.abort()
        elif limit == "header" and not self._header_bytes:
            self.transport.close()
        else:
            self._refuse(408, "too-slow", "The request took too long to arrive.")

    def _refuse(self, status: int, type_: str, title: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"type": type_, "title": title, "status": status}).encode()
        head = b"content-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        cycle = self._cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def bounded(protocol: type[BoundedHttpProtocol], limits: HttpLimits) -> type[BoundedHttpProtocol]:
    """The protocol with these limits."""
    return type(protocol.__name__, (protocol,), {"limits": limits})


async def close_overdue(connections: Collection[object], stop: asyncio.Event) -> None:
    """Close the connections that break a limit of time, until `stop`; `connections` is looked at anew each time."""
    while not stop.is_set():
        now = time.monotonic()
        for connection in list(connections):
            if isinstance(connection, BoundedHttpProtocol) and (limit := connection.overdue(now)) is not None:
                connection.close_timed_out(limit)
        await sleep_or_event(CHECK_SECONDS, stop)
