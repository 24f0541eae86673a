"""The mail server of the local stack, which keeps mails as files and delivers none."""

import asyncio
import sys
from pathlib import Path

from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.ports import LOOPBACK
from herald.local.server import Server


class LocalMailbox(Server):
    """`herald.development.mailbox` as a child process."""

    name = "mailbox"
    grace = 5.0

    def __init__(self, folder: Path, logs: Path, port: int) -> None:
        super().__init__(logs)
        self.folder = folder
        self._port = port

    @property
    def port(self) -> int:
        return self._port

    def provide(self, progress: Progress = no_progress) -> None:
        """Nothing to find: it runs with this Python."""

    async def launch(self) -> Child:
        argv = [sys.executable, "-m", "herald.development.mailbox", f"--folder={self.folder}", f"--port={self._port}"]
        return Child(self.name, argv, self.log)

    async def probe(self) -> bool:
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
                greeting = await reader.readline()
                writer.close()
        except OSError:
            return False
        return greeting.startswith(b"220")
