"""`python -m tests.peers`: try Herald with each counterpart; exit with 1 if anything went wrong."""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from herald.local.terminal import one_sentence

PEERS = {"front": "front", "keycloak": "sign_in", "observability": "observability", "secured": "secured"}
"""Each with the module of this package whose `run` yields what was tried."""
console = Console()


async def try_out(name: str) -> int:
    """Tell what was tried with one of them; how much of it went wrong."""
    wrong, began = 0, time.monotonic()
    console.print(f"[bold]{name}[/bold]")
    async for check in importlib.import_module(f"tests.peers.{PEERS[name]}").run():
        wrong += bool(check.wrong)
        mark = "[red]✗[/red]" if check.wrong else "[green]✓[/green]"
        console.print(f"  {mark} {time.monotonic() - began:5.0f} s  {escape(check.name)}", highlight=False)
        if check.wrong:
            console.print(f"      {escape(check.wrong)}", highlight=False, soft_wrap=True)
    return wrong


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(PEERS)}; all by default.")] = None,
) -> None:
    """Try Herald with real counterparts."""
    unknown = set(names or ()) - PEERS.keys()
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}")
    with one_sentence():
        wrong = sum(asyncio.run(try_out(name)) for name in names or PEERS)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
