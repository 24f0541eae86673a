"""A mail server that delivers nothing: it keeps what it is given as files, `python -m herald.development.mailbox`.

For one machine only: it listens on the loopback interface, without TLS and without a sign-in. Each mail is one file
`<time>-<number>-<recipient>.eml`, which any mail program opens; `X-Envelope-From` and `X-Envelope-To` say who was named
on its envelope. A mail beyond `MAX_MAIL` is refused; beyond `MAX_KEPT` in all, the oldest are deleted.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
MAX_MAIL = 10_000_000
"""Bytes of one mail."""
MAX_KEPT = 200_000_000
"""Bytes of all mails that are kept."""
_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]")


class Mailbox:
    """The files of a folder; `max_kept` is in bytes. One process has a folder."""

    def __init__(self, folder: Path, max_kept: int = MAX_KEPT) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob("*.part"):
            part.unlink()
        self._folder = folder
        self._max_kept = max_kept
        self._kept = deque((path, path.stat().st_size) for path in sorted(folder.glob("*.eml")))
        self._size = sum(size for _, size in self._kept)
        self._number = 0

    def keep(self, sender: str, recipient: str, content: bytes) -> Path:
        """Write a mail, whole or not at all, and make room for it."""
        self._number += 1
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        name = f"{moment}-{self._number:06}-{_UNSAFE.sub('_', recipient)[:100]}.eml"
        whole = f"X-Envelope-From: {_line(sender)}\r\nX-Envelope-To: {_line(recipient)}\r\n".encode() + content
        path, part = self._folder / name, self._folder / f"{name}.part"
        part.write_bytes(whole)
        part.replace(path)
        self._kept.append((path, len(whole)))
        self._size += len(whole)
        while self._size > self._max_kept and len(self._kept) > 1:
            oldest, size = self._kept.popleft()
            oldest.unlink(missing_ok=True)
            self._size -= size
        return path

    # what aiosmtpd calls
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        for recipient in envelope.rcpt_tos:
            self.keep(envelope.mail_from or "", recipient, content)
        return "250 2.0.0 kept"


def _line(text: str) -> str:
    return " ".join(text.split())


async def listen(box: Mailbox, port: int) -> asyncio.Server:
    """The server, which listens on the loopback interface; port 0 is any that is free."""

    def protocol() -> SMTP:
        return SMTP(box, hostname="localhost", data_size_limit=MAX_MAIL, loop=asyncio.get_running_loop())

    return await asyncio.get_running_loop().create_server(protocol, LOOPBACK, port)


async def serve(folder: Path, port: int) -> None:
    """Until a signal asks to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await listen(Mailbox(folder), port)
    await stop.wait()
    server.close()


def main(folder: Annotated[Path, typer.Option()], port: Annotated[int, typer.Option()]) -> None:
    """Keep mails as files until stopped."""
    asyncio.run(serve(folder, port))


if __name__ == "__main__":
    typer.run(main)
