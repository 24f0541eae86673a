"""Runs the attacks and prints what held; ends with 0 only if everything did."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from herald.local.home import Home
from tests import infra as servers
from tests.attack.attempt import Attempt
from tests.attack.families import FAMILIES, attempts_of
from tests.attack.target import Target, target_of

SHOWN = 50


@asynccontextmanager
async def _target(url: str, home: Path, *, long: bool) -> AsyncIterator[Target]:
    """The Herald at `url`, or one that lives as long as this."""
    if url:
        async with target_of(url.rstrip("/"), Home(home), long=long) as target:
            yield target
        return
    from tests.e2e.stack import started

    with tempfile.TemporaryDirectory(prefix="herald-attack-") as folder:
        async with (
            started(servers.acquire(), Path(folder)) as stack,
            target_of(stack.url, stack.home, long=long) as target,
        ):
            yield target


async def _run(url: str, home: Path, long: bool, chosen: Sequence[str]) -> bool:
    console, table = Console(), Table("attack", "cases", "held", "seconds", title="Attacks on Herald")
    all_held = True
    async with _target(url, home, long=long) as target:
        for name in chosen:
            began = time.monotonic()
            with console.status(name):
                attempts = await attempts_of(name, target)
            held = sum(one.held for one in attempts)
            mark = "green" if held == len(attempts) else "red"
            table.add_row(name, str(len(attempts)), f"[{mark}]{held}", f"{time.monotonic() - began:.1f}")
            all_held = all_held and held == len(attempts)
            _tell(console, name, [one for one in attempts if not one.held])
    console.print(table)
    return all_held


def _tell(console: Console, family: str, broken: Sequence[Attempt]) -> None:
    """What did not hold."""
    for attempt in broken[:SHOWN]:
        console.print(f"{family}: {attempt.name}: {attempt.seen}", style="red", markup=False, soft_wrap=True)
    if len(broken) > SHOWN:
        console.print(f"{family}: and {len(broken) - SHOWN} more", style="red")


def main(
    families: Annotated[list[str] | None, typer.Argument(help="Which attacks; all unless named")] = None,
    url: Annotated[
        str, typer.Option(help="The address of a Herald that `herald up` runs; one is started otherwise")
    ] = "",
    home: Annotated[Path, typer.Option(help="Its folder, where the development issuer's key is")] = Path(".herald"),
    short: Annotated[bool, typer.Option(help="A part of the cases, in half a minute")] = False,
) -> None:
    """Attack a running Herald by requests alone."""
    chosen = [name for name in FAMILIES if not families or name in families]
    servers.begin_run()
    try:
        held = asyncio.run(_run(url, home, not short, chosen))
    finally:
        servers.end_run()
    raise typer.Exit(0 if held else 1)


if __name__ == "__main__":
    typer.run(main)
