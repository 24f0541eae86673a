"""A web site on loopback that answers as a test says, byte by byte where it must misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the site got; header names in lower case."""

    target: str
    headers: dict[str, str]


Speak = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; its length is announced unless headers say otherwise."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        headers = {"content-length": str(len(self.body)), "connection": "close", **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode("latin-1") + self.body)
        await writer.drain()


@dataclass
class Site:
    """`pages` are by path; `asked` is what came, in order."""

    port: int = 0
    scheme: str = "http"
    pages: dict[str, Speak] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in lines[1:] if line)
            asked = Asked(lines[0].split(" ")[1], {name.lower(): value for name, value in pairs})
            self.asked.append(asked)
            await self.pages.get(asked.target.partition("?")[0], Answer(404))(asked, writer)
        writer.close()


@asynccontextmanager
async def serve_site(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """A site at a port of its own, until the end of the block."""
    site = Site(scheme="https" if tls else "http")
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(site.serve(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
