"""`python -m bench.capacity`: how much an installation takes, computed of measured figures."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Any

import typer

from bench.capacity import measured, page
from bench.capacity.assumptions import Assumptions
from bench.capacity.model import capacity
from bench.frame import RESULTS

AMBASSADORS = (1_000, 100_000, 1_000_000)


def assumed_with(changes: list[str]) -> Assumptions:
    """The assumptions with `name=value` of each change. Raises typer.BadParameter."""
    kinds: dict[str, type[int] | type[float]] = {
        one.name: type(getattr(Assumptions(), one.name)) for one in fields(Assumptions)
    }
    found: dict[str, Any] = {}
    for change in changes:
        name, _, value = change.partition("=")
        try:
            found[name] = kinds[name](value)
        except (KeyError, ValueError):
            raise typer.BadParameter(f"{change}: a number for one of {', '.join(kinds)}") from None
        if found[name] <= 0:
            raise typer.BadParameter(f"{change}: more than 0")
    return replace(Assumptions(), **found)


def main(
    ambassadors: Annotated[list[int] | None, typer.Argument(min=1, help="How many; several are compared")] = None,
    assume: Annotated[list[str] | None, typer.Option(help="NAME=VALUE instead of what is assumed, repeatedly")] = None,
    core_hour: Annotated[float, typer.Option(min=0, help="Your price of a core for an hour")] = 0.0,
    memory: Annotated[float, typer.Option(min=0, help="Your price of a GiB of memory for a month")] = 0.0,
    disk: Annotated[float, typer.Option(min=0, help="Your price of a GiB of disk for a month")] = 0.0,
    keep: Annotated[bool, typer.Option(help="Take the figures of the last results into measured.json first")] = False,
    write: Annotated[bool, typer.Option("--page", help="Write the tables into docs/operations/sizing.md")] = False,
) -> None:
    """Pods, partitions, storage, memory, cores and what breaks first, for so many ambassadors."""
    if keep:
        typer.echo(f"taken: {', '.join(measured.keep(RESULTS)) or 'nothing'}", err=True)
    if write and (ambassadors or assume or core_hour or memory or disk):
        raise typer.BadParameter("the page has the standard sizes and assumptions, and no prices")
    known, assumed = measured.read(), assumed_with(assume or [])
    found = [capacity(one, known, assumed) for one in sorted(ambassadors or AMBASSADORS)]
    text = page.whole(found, known, assumed, page.Prices(core_hour, memory, disk))
    if write:
        page.PAGE.write_text(page.quoted(page.PAGE.read_text("utf-8"), text), "utf-8")
    else:
        typer.echo(text, nl=False)


if __name__ == "__main__":
    typer.run(main)
