"""`herald demo`: plays a company's first day, and compares every figure."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from herald.demo import SAMPLE
from herald.local.errors import LocalError
from herald.local.home import Home, default_folder

BEGAN = "HERALD_SETUP_BEGAN"
START_PATIENCE = 900.0
OF_OTHERS = ("HERALD_ISSUER", "HERALD_SMTP_HOST")
"""Where people and mails of a company are: the demo has its own."""


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Exit after the comparison; 0 if all figures agree")] = False,
    feed: Annotated[str, typer.Option(help="A feed's address or file; the included sample if omitted")] = "",
    people: Annotated[int, typer.Option(min=50, max=100_000, help="How many people the company has")] = 2000,
    ambassadors: Annotated[int, typer.Option(min=10, max=5_000)] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company and the same day")] = 7,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
) -> None:
    """Start everything, play a company's first day with its programme, and compare every figure."""
    from herald.demo.api import Unexpected
    from herald.demo.stage import Scale

    home = Home(default_folder())
    began = float(os.environ.get(BEGAN) or time.time())
    prepared = time.time()
    with _stack(home, port) as (url, own):
        ready = time.time()
        scale = Scale(people=people, ambassadors=ambassadors, seed=seed)
        try:
            report = asyncio.run(_run_story(home, url, _feed(feed), scale))
        except (Unexpected, ExceptionGroup) as error:
            typer.echo(f"herald: the demo cannot go on: {_first(error)}", err=True)
            raise typer.Exit(1) from None
        report["seconds"] = {
            "setup": round(prepared - began, 1),
            "ready": round(ready - prepared, 1),
            "total": round(time.time() - began, 1),
        }
        (home.folder / "demo-report.json").write_text(json.dumps(report, indent=1) + "\n")
        _print_report(report, url)
        if not leave and own:
            _stay()
    raise typer.Exit(0 if report["ok"] else 1)


def _first(error: Exception) -> Exception:
    """The first error of a group of tasks; one that is not Herald's own is raised unchanged."""
    from herald.demo.api import Unexpected

    if isinstance(error, ExceptionGroup):
        refused = error.subgroup(Unexpected)
        if refused is None:
            raise error
        return _first(refused.exceptions[0])
    return error


def _feed(named: str) -> bytes | str:
    if named.startswith(("http://", "https://")):
        return named
    path = Path(named) if named else SAMPLE
    try:
        return path.read_bytes()
    except OSError as error:
        typer.echo(f"herald: the feed {path} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def _stack(home: Home, port: int) -> Iterator[tuple[str, bool]]:
    """The address of a running stack, and whether this command started it and will stop it."""
    state = home.read_state()
    if home.holder() is not None and state.get("status") == "ready":
        if state.get("issuer"):
            typer.echo("herald: the demo's people sign in with the development issuer; here is another", err=True)
            raise typer.Exit(1)
        if not state.get("mails"):
            typer.echo("herald: the demo reads its mails in the local mailbox; here is another mail server", err=True)
            raise typer.Exit(1)
        typer.echo(f"Herald runs already at {state['url']}; the demo uses it.")
        yield state["url"], False
        return
    environment = {name: value for name, value in os.environ.items() if name not in OF_OTHERS}
    child = subprocess.Popen([sys.executable, "-m", "herald", "up", f"--port={port}"], env=environment)  # noqa: S603

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    try:
        yield _await_ready(home, child), True
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except LocalError as error:
        typer.echo(f"herald: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait()


def _await_ready(home: Home, child: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        state = home.read_state()
        if state.get("pid") == child.pid and state.get("status") == "ready":
            return str(state["url"])
        if child.poll() is not None:
            raise typer.Exit(child.returncode or 1)
        time.sleep(0.1)
    raise LocalError("the stack was not ready in time; see 'herald logs'.")


class _Bars:
    """Progress of the acts, one bar each."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)


async def _run_story(home: Home, url: str, feed: bytes | str, scale: Any) -> dict[str, Any]:
    from herald.demo.api import Api
    from herald.demo.report import compare, read_back, settled
    from herald.demo.story import Story
    from herald.demo.topics import TopicView
    from herald.operations.settings import operator_settings

    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    api = Api(url, home)
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bars = _Bars(progress)
            story = Story(api, scale, feed, bars.show)
            for act in story.acts:
                await act()
            bars.show("figures settling", 0, 1)
            await settled(api, story.tally)
            bars.show("figures settling", 1, 1)
            await story.newsletter()
            await story.newsletter_sent()
            found = await read_back(api, story.tally)
        topics = await TopicView.read(operator_settings().kafka_bootstrap, story.tally.program_id)
        figures = compare(story.tally, topics, found)
    finally:
        await api.close()
    return {
        "ok": all(figure.equal for figure in figures),
        "trace_id": story.tally.trace_id,
        "program_id": story.tally.program_id,
        "figures": [figure.as_dict() for figure in figures],
    }


def _print_report(report: dict[str, Any], url: str) -> None:
    from herald.development.personas import PERSONAS

    console = Console()
    table = Table("figure", "done", "topics", "store", "shown", "")
    for one in report["figures"]:
        values = [f"{one[side]:g}" for side in ("done", "topics", "store", "shown")]
        table.add_row(
            one["name"], *values, "equal" if one["equal"] else "DIFFERENT", style="" if one["equal"] else "red"
        )
    console.print(table)
    seconds = report["seconds"]
    good = sum(one["equal"] for one in report["figures"])
    console.print(f"{good} of {len(report['figures'])} figures agree, after {seconds['total']:.0f} s in all.")
    if report["trace_id"]:
        console.print(f"One share from tap to figure: herald trace {report['trace_id']}")
    console.print(f"\nOpen {url} and sign in as one of:")
    for persona in PERSONAS:
        part = ", ".join(persona.roles) or ("ambassador, leader" if persona.leader else "ambassador")
        console.print(f"  {persona.name:<18} {part}")


def _stay() -> None:
    typer.echo("\nIt goes on running; stop it with Ctrl-C.")
    while True:
        signal.pause()
