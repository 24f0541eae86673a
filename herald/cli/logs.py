"""`herald logs`: what the servers and processes say."""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from herald.local.home import Home, default_folder
from herald.local.terminal import complain


def logs(
    name: Annotated[str, typer.Argument(help="As in 'herald status'; all when left out.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is new.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")] = 50,
) -> None:
    """Print the logs of the servers and processes."""
    folder = Home(default_folder()).logs
    files = sorted(folder.glob(f"{name or '*'}.log"))
    if not files:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet"
        complain(f"There is no log {name!r}; there are: {known}." if name else f"There are no logs in {folder}.")
        raise typer.Exit(1)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _print_logs(files, lines, follow)


def _print_logs(files: list[Path], lines: int, follow: bool) -> None:
    with contextlib.ExitStack() as stack:
        opened = {file.stem: stack.enter_context(file.open(errors="replace")) for file in files}
        prefix = {name: f"{name:16} | " if len(opened) > 1 else "" for name in opened}
        for name, file in opened.items():
            for line in file.readlines()[-lines:] if lines else ():
                print(f"{prefix[name]}{line.rstrip()}")
            file.seek(0, os.SEEK_END)
        while follow:
            for name, file in opened.items():
                for line in file:
                    print(f"{prefix[name]}{line.rstrip()}")
            sys.stdout.flush()
            time.sleep(0.2)
