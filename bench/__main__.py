"""`python -m bench`: the measurements that the documents quote, each beside its floor."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import frame
from bench.harness import servers

WIDTH = 180
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all when left out")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often both sides are measured")] = None,
    events: Annotated[
        int | None, typer.Option(min=1, help="How much a round measures, in what the bench takes")
    ] = None,
    table: Annotated[bool, typer.Option(help="Measure nothing: the last results as the page's table")] = False,
    page: Annotated[bool, typer.Option(help="Measure nothing: write that table into docs/performance.md")] = False,
) -> None:
    """Measure Herald beside its floors: redirect, metrics, gamification, outbox, endtoend, cpu, startup, mail."""
    if table or page:
        text = frame.markdown(frame.kept())
        if page:
            PAGE.write_text(frame.quoted(PAGE.read_text("utf-8"), text), "utf-8")
        else:
            typer.echo(text, nl=False)
        return
    unknown = set(names or ()) - {*frame.NAMES, *frame.BESIDE}
    if unknown:
        typer.echo(f"herald: there is no bench {sorted(unknown)[0]}; there are {', '.join(frame.NAMES)}", err=True)
        raise typer.Exit(2)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # topics that are just being made have no leader yet
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    found = []
    with servers() as harness:
        for one in (frame.find(name) for name in names or frame.NAMES):
            size = frame.Size(rounds or one.size.rounds, events or one.size.events)
            command = f"herald bench {one.name} --rounds {size.rounds} --events {size.events}"
            found.append(frame.run(one, harness, size, command=command, say=typer.echo))
            frame.write(found[-1])
    shown = Table(*frame.HEAD)
    for result in found:
        shown.add_row(*frame.row(result))
    Console(width=max(WIDTH, Console().width)).print(shown)


if __name__ == "__main__":
    typer.run(bench)
