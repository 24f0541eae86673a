"""`herald up` with a folder and servers of its own, which a check may stop, change and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from herald.local.home import Home
from herald.local.ports import free_ports

READY_SECONDS = 240.0


@asynccontextmanager
async def herald_up(folder: Path, **variables: str) -> AsyncIterator[Home]:
    """A whole installation in `folder`, ready; ends it and keeps its data."""
    home = Home(folder / "home")
    port = free_ports(["apis"], folder / "herald-port.json")["apis"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("HERALD_")}
    with (folder / "herald.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "herald", "up", f"--port={port}",
            env={**own, **variables, "HERALD_HOME": str(home.folder)}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while (state := home.read_state()).get("status") != "ready" or state["pid"] != child.pid:
                    if child.returncode is not None:
                        raise AssertionError(f"Herald ended:\n{(folder / 'herald.log').read_text()[-3000:]}")
                    await asyncio.sleep(0.5)
        except TimeoutError:
            said = (folder / "herald.log").read_text()[-3000:]
            raise AssertionError(f"Herald is not ready after {READY_SECONDS:.0f} s:\n{said}") from None
        yield home
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        await child.wait()


async def herald(home: Home, *command: str) -> tuple[int, str]:
    """Exit code and output of a command of the operator."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "herald", *command,
        env={**os.environ, "HERALD_HOME": str(home.folder)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, output.decode()
