"""A stack with stand-ins for Herald's own processes: `python -m tests.integration.stand_in PORT [--split]`.

With the word `serve` it is such a process: it answers 200 on HERALD_PORT, and tells its environment at `/env`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from herald.local import plan, up
from herald.local.home import Home, default_folder
from herald.local.plan import Addresses, ProcessSpec
from herald.local.terminal import one_sentence, progress_bars, say


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(dict(os.environ)).encode() if request.startswith(b"GET /env") else b"{}"
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()


async def serve() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", int(os.environ["HERALD_PORT"]))
    async with server:
        await server.serve_forever()


def processes(
    home: Home, addresses: Addresses, secrets: Mapping[str, str], ports: Mapping[str, int], split: bool
) -> list[ProcessSpec]:
    """Herald's own plan with this file as the program."""
    argv = (sys.executable, "-m", "tests.integration.stand_in", "serve")
    return [replace(spec, argv=argv) for spec in plan.processes(home, addresses, secrets, ports, split)]


async def no_topics() -> None:
    """There is nobody here who would read them."""


def main() -> None:
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        with one_sentence():
            home, split = Home(default_folder()), "--split" in sys.argv
            up.run(home, int(sys.argv[1]), split, say, progress_bars, processes, no_topics)


if __name__ == "__main__":
    main()
