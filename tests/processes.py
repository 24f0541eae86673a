"""Looking at processes from the outside."""

import time
from collections.abc import Callable
from pathlib import Path


def of(folder: Path) -> dict[int, str]:
    """Every living process that was told of `folder` in its environment or works in it, with its command line."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = str(folder).encode() in (process / "environ").read_bytes()
            if told or (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def eventually(check: Callable[[], object], seconds: float, every: float = 0.1) -> bool:
    """Whether `check` gave something true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def left_of(folder: Path, seconds: float = 30) -> dict[int, str]:
    """The processes of `folder` that are still there after `seconds`; none as soon as there are none."""
    eventually(lambda: not of(folder), seconds)
    return of(folder)
