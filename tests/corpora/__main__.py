"""`python -m tests.corpora`: print every share; exit with 1 if one is below its aim."""

from __future__ import annotations

import importlib
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tests.corpora import MISSES, Share

CORPORA: tuple[str, ...] = ("feeds", "robots", "x_counts", "csv_files")
"""Modules of this package; each has a function `measure(short) -> list[Share]`."""

console = Console()


def measure(name: str, *, short: bool) -> list[Share]:
    """The shares of one collection; `short` takes a sample of it."""
    shares: list[Share] = importlib.import_module(f"tests.corpora.{name}").measure(short)
    return shares


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(CORPORA)}; all by default.")] = None,
    short: Annotated[bool, typer.Option(help="A sample of each.")] = False,
) -> None:
    """Measure Herald on published collections."""
    below = 0
    for name in names or CORPORA:
        began = time.monotonic()
        with console.status(f"{name} …"):
            shares = measure(name, short=short)
        console.print(f"[bold]{name}[/bold] [dim]{time.monotonic() - began:.1f} s[/dim]")
        for share in shares:
            below += not share.reached
            mark = "[green]✓[/green]" if share.reached else "[red]✗[/red]"
            console.print(f"  {mark} {escape(str(share))}", highlight=False, soft_wrap=True)
            for miss in share.misses[:MISSES]:
                console.print(f"      missed: {escape(miss)}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if below else 0)


if __name__ == "__main__":
    typer.run(main)
