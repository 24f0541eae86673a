"""Output of commands to the terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from herald.local.errors import LocalError


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """Local errors end the command with one sentence and exit code 1."""
    try:
        yield
    except LocalError as error:
        complain(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        complain(f"{error.strerror or error}{where}.")
        raise typer.Exit(1) from None


def complain(sentence: str) -> None:
    """One sentence on standard error."""
    with contextlib.suppress(OSError):
        print(f"herald: {sentence}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Prints to the terminal, if there still is one."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of this process


@contextlib.contextmanager
def progress_bars() -> Iterator[Any]:
    """A function that shows how far a download is: (what, pieces there, pieces in all)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=False) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(f"fetching {what}", total=total)
            bars.update(tasks[what], completed=done)

        yield show
