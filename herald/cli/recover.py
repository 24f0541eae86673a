"""`herald recover`: after a restore, owners take back what their topics tell and they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from herald.operations.settings import operator_settings, run_operation

if TYPE_CHECKING:
    from herald.operations.recover import Report

LACKING = 2


def recover(
    services: Annotated[
        list[str] | None, typer.Argument(help="Owners; all that are in this image when left out")
    ] = None,
    go: Annotated[bool, typer.Option("--go", help="Do it; otherwise only show what would be done")] = False,
) -> None:
    """After a restore to an earlier moment than Kafka's: have owners take back what their topics tell, and go on with
    revisions that nobody has seen. Doing it again changes nothing.

    Exit 2 while something is lacking that no event tells whole: each is named, with what to do.
    """
    from herald.operations.recover import OWNERS, load_kept
    from herald.operations.recover import recover as recover_one

    if unknown := [name for name in services or () if name not in OWNERS]:
        typer.echo(f"herald: {', '.join(unknown)} owns nothing to recover; {', '.join(OWNERS)} do", err=True)
        raise typer.Exit(1)
    chosen = []
    for name in services or OWNERS:
        try:
            load_kept(name)
        except ModuleNotFoundError:
            typer.echo(f"{name} is not in this image: do it in that of {name}", err=True)
            if services:
                raise typer.Exit(1) from None
        else:
            chosen.append(name)
    settings = operator_settings()
    lacking = False
    for name in chosen:
        report = run_operation(recover_one(settings, name, write=go))
        lacking = lacking or bool(report.lacking)
        _show(report, go)
    if not go:
        typer.echo("Nothing was changed; add --go to do it.")
    raise typer.Exit(LACKING if lacking else 0)


def _show(report: Report, go: bool) -> None:
    from herald.operations.recover import OUTCOMES

    read = f"{report.service}: {report.events:,} events read"
    typer.echo(read + (f", {report.unreadable:,} of them unreadable" if report.unreadable else ""))
    if not report.rows:
        typer.echo("    nothing is lacking")
        return
    table = Table("", *(one if go or one == "lacking" else f"to be {one}" for one in OUTCOMES), box=SIMPLE)
    for kind in report.kinds:
        counts = [report.of(kind, outcome) for outcome in OUTCOMES]
        if any(counts):
            table.add_row(kind, *(f"{count:,}" for count in counts))
    Console().print(table)
    for row in report.lacking:
        typer.echo(
            f"    lacking: {row.kind} {row.id}, {row.topic}, {row.event_type}, {row.at:%Y-%m-%d %H:%M:%S}: {row.why}"
        )
