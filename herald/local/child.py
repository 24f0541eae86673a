"""A child process that cannot outlive its parent."""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from herald.local.errors import LocalError

PR_SET_PDEATHSIG = 1
LOG_LIMIT = 20_000_000  # bytes; a longer log is set aside at the next start
OPEN_FILES = 64_000  # what MongoDB asks for: a file for each collection and index, and it ends when one more is refused

_prctl = ctypes.CDLL(None, use_errno=True).prctl


def end_with_parent(parent: int) -> Callable[[], None]:
    """What a child does before its command: ask the kernel to end it with its parent, and raise its limit of open
    files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)

    def in_child() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if soft != resource.RLIM_INFINITY and soft < files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        if os.getppid() != parent:
            os._exit(1)

    return in_child


class Child:
    """One run of a command: its output goes to a file, the kernel kills it when this process dies.

    It has a session of its own, so that Ctrl-C reaches this process alone, which then stops its children in
    order. Start it from the main thread: the kernel ties the child to the thread that made it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        self.env = None if env is None else dict(env)
        self.cwd = cwd
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    async def start(self) -> None:
        """Raises LocalError when the command cannot be executed at all."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        try:
            with self.log.open("ab") as output:
                self._log_start = output.tell()
                self._process = await asyncio.create_subprocess_exec(
                    *self.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=self.env,
                    cwd=self.cwd,
                    start_new_session=True,
                    preexec_fn=end_with_parent(os.getpid()),
                )
        except OSError as error:
            raise LocalError(f"{self.name} could not be started from {self.argv[0]}: {error.strerror}.") from error

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def wait(self) -> int:
        """The exit code, once it ended; negative: the signal that ended it."""
        assert self._process is not None
        return await self._process.wait()

    async def until(self, probe: Callable[[], Awaitable[bool]], timeout: float, every: float = 0.05) -> None:
        """Returns once `probe` answers True.

        Raises LocalError when the child ends before, or when `timeout` seconds have passed.
        """
        ended = asyncio.ensure_future(self.wait())
        try:
            async with asyncio.timeout(timeout):
                while not ended.done():
                    if await probe():
                        return
                    await asyncio.wait([ended], timeout=every)
        except TimeoutError:
            raise LocalError(f"{self.name} did not answer within {timeout:.0f} s; its log is {self.log}.") from None
        finally:
            ended.cancel()
        raise LocalError(f"{self.name} ended while starting ({self.last_words()}); its log is {self.log}.")

    def kill(self) -> None:
        """SIGKILL to it and all that it started, without waiting."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; returns when nothing of it is left."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
        self.kill()
        await self._process.wait()

    def last_words(self) -> str:
        """The most useful line since this start: the last with an error, or the last."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        telling = [line for line in lines if any(word in line for word in ("ERROR", "Error", "error", "FATAL"))]
        return (telling or lines or ["it said nothing"])[-1][:300]
