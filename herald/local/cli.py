"""`herald up`, `status`, `down` and `logs`."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from herald.local.errors import LocalError
from herald.local.home import Home, default_folder

NOT_RUNNING = 3
DOWN_PATIENCE = 60.0


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """What goes wrong on this machine ends the command with one sentence and exit code 1."""
    try:
        yield
    except LocalError as error:
        _complain(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        _complain(f"{error.strerror or error}{where}.")
        raise typer.Exit(1) from None


def _complain(sentence: str) -> None:
    with contextlib.suppress(OSError):
        print(f"herald: {sentence}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Tells the terminal, if there still is one."""
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


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once it is ready.")] = False,
    split: Annotated[bool, typer.Option("--split", help="One process a role, as on Kubernetes.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the one address.")] = 8080,
) -> None:
    """Start Kafka, MongoDB, Redis and all of Herald on this machine."""
    from herald.local import up as stack

    with one_sentence():
        home = Home(default_folder())
        begin = stack.run_detached if detach else stack.run
        begin(home, port, split, say, progress_bars)


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show what runs, where, since when and with how much memory; exit code 3 when nothing runs."""
    home = Home(default_folder())
    state = current_state(home)
    if as_json:
        print(json.dumps(state, indent=1))
    elif not state["running"]:
        say("Herald is not running here." + (f" It ended: {state['error']}" if state.get("error") else ""))
    else:
        say(f"Herald is {state['status']} at {state['url']} (process {state['pid']}).")
        table = Table("name", "state", "process", "port", "memory", "restarts")
        for name, child in state["children"].items():
            memory = f"{child['memory_mb']} MB" if child["memory_mb"] else ""
            values = (child["state"], child["pid"] or "", child["port"], memory, child["restarts"])
            table.add_row(name, *map(str, values))
        Console().print(table)
    raise typer.Exit(0 if state["running"] else NOT_RUNNING)


def current_state(home: Home) -> dict[str, Any]:
    """What the supervisor wrote, with `running` and the memory of each child (resident, in megabytes)."""
    running = home.holder() is not None
    state = {"status": "stopped", "children": {}, **home.read_state(), "running": running}
    if not running and state["status"] not in ("stopped", "failed"):
        state["status"] = "killed"
    for child in state["children"].values():
        child["memory_mb"] = _resident_mb(child["pid"]) if running and child["pid"] else None
    return state


def _resident_mb(pid: int) -> int | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def down() -> None:
    """Stop what `herald up` started; its data stays."""
    home = Home(default_folder())
    pid = home.holder()
    if pid is None:
        say("Herald is not running here.")
        raise typer.Exit(0)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_PATIENCE
    while home.holder() == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            _complain(f"Herald did not stop within {DOWN_PATIENCE:.0f} s and was killed.")
            raise typer.Exit(1)
        time.sleep(0.05)
    say("Herald has stopped.")


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
        _complain(f"There is no log {name!r}; there are: {known}." if name else f"There are no logs in {folder}.")
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
