"""A TCP proxy that can be slow, silent, rude or forgetful."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["pass", "delay", "blackhole", "reset", "drop-answers"]
CHUNK = 64 * 1024


@dataclass
class Proxy:
    """Forwards `port` to `upstream` (both on loopback) as `mode` says; connections follow a change at once.

    `pass` forwards; `delay` holds each piece back by `seconds`; `blackhole` accepts and forwards nothing;
    `reset` refuses new connections and cuts the present ones; `drop-answers` forwards requests and loses what
    comes back. `cut_after` bytes from upstream, the connection is cut once.
    """

    port: int
    upstream: int
    mode: Mode = "pass"
    seconds: float = 0.0
    cut_after: int | None = None
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def set(self, mode: Mode, *, seconds: float = 0.0) -> None:
        """Change how it behaves from now on."""
        self.mode, self.seconds = mode, seconds
        if mode == "blackhole":
            self._open.clear()
        else:
            self._open.set()
        if mode == "reset":
            self.cut()

    def cut(self) -> None:
        """End every connection abruptly."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "reset":
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        try:
            await asyncio.gather(
                self._pump(reader, up_writer, answers=False), self._pump(up_reader, writer, answers=True)
            )
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers -= {writer, up_writer}
            writer.transport.abort()
            up_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(CHUNK):
            await self._open.wait()
            if self.mode == "delay":
                await asyncio.sleep(self.seconds)
            if answers and self.mode == "drop-answers":
                continue
            if answers and self.cut_after is not None:
                self.cut_after -= len(data)
                if self.cut_after <= 0:
                    self.cut_after = None
                    raise OSError("cut")
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
