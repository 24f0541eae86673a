"""Work that would hold up the event loop, done in a process of its own.

`Offload.stream` calls a pure function there with the bytes it is to read and gives what it yields, item by item, so
that neither side ever holds more than a few. What takes an hour or all memory costs that process its limits, and
nobody else anything; it gets none of our secrets.

`python -m chassis.offload MODULE:FUNCTION CPU_SECONDS MEMORY` is that process. Both ways, a frame is four bytes of
length and as many of JSON; first come the arguments, and an empty frame ends the answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import struct
import sys
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from chassis.web.problems import Overloaded

logger = logging.getLogger(__name__)
MEBIBYTE: Final = 1024 * 1024
_INHERITED: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
_LENGTH: Final = struct.Struct(">I")
Work = Callable[..., Iterator[Any]]


class TooMuchWork(Exception):
    """The process took more time or memory than it may, or failed."""


class Offload:
    """Runs functions in processes of their own, `at_once` of them at a time; others wait for `patience` seconds."""

    def __init__(
        self,
        *,
        at_once: int = 2,
        cpu_seconds: int = 60,
        seconds: float = 120.0,
        memory: int = 2048 * MEBIBYTE,
        patience: float | None = 30.0,
    ) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._patience = patience
        self._cpu_seconds = cpu_seconds
        self._seconds = seconds
        self._memory = memory

    @asynccontextmanager
    async def stream(self, work: Work, body: bytes, **arguments: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """What `work(body, **arguments)` yields; arguments and items are JSON.

        Raises Overloaded where too many others are before it; iterating raises TooMuchWork.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise Overloaded("Many files are being read; try again shortly.", retry_after=10) from None
        try:
            async with aclosing(self._items(work, body, arguments)) as items:
                yield items
        finally:
            self._places.release()

    async def _items(self, work: Work, body: bytes, arguments: Any) -> AsyncGenerator[Any, None]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, f"{work.__module__}:{work.__qualname__}",
            str(self._cpu_seconds), str(self._memory),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        sending = asyncio.ensure_future(_send(process.stdin, _frame(arguments), body))
        said = asyncio.ensure_future(process.stderr.read(4096))
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            while True:
                async with asyncio.timeout_at(until):
                    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                    item = await process.stdout.readexactly(length)
                if not item:
                    return
                yield orjson.loads(item)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            with suppress(ProcessLookupError):
                process.kill()
            where = (await said).decode(errors="replace").strip()
            logger.warning("%s ended early: %s %s", work.__qualname__, type(error).__name__, where)
            raise TooMuchWork(work.__qualname__) from None
        finally:
            sending.cancel()
            said.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _send(stdin: asyncio.StreamWriter, *parts: bytes) -> None:
    with suppress(ConnectionError):  # it ended before it had read everything
        for part in parts:
            stdin.write(part)
            await stdin.drain()
        stdin.close()


def _frame(value: Any) -> bytes:
    item = orjson.dumps(value)
    return _LENGTH.pack(len(item)) + item


# --- the process -------------------------------------------------------------------------------------------------


def main() -> None:
    """Call the function that the command line names. What it prints goes nowhere, and of what it raises only the place
    is told, without a word of its input."""
    target, cpu_seconds, memory = sys.argv[1:4]
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    module, _, name = target.partition(":")
    work: Work = getattr(import_module(module), name)
    limits = [(resource.RLIMIT_CPU, int(cpu_seconds)), (resource.RLIMIT_AS, int(memory))]
    for kind, limit in limits:
        resource.setrlimit(kind, (limit, limit))
    try:
        _answer(work, sys.stdin.buffer, output)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told that it failed
        last = traceback.extract_tb(error.__traceback__)[-1]
        sys.exit(f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}")


def _answer(work: Work, source: BinaryIO, output: BinaryIO) -> None:
    (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
    arguments = orjson.loads(source.read(length))
    for item in work(source.read(), **arguments):
        output.write(_frame(item))
    output.write(_LENGTH.pack(0))
    output.flush()


if __name__ == "__main__":
    main()
