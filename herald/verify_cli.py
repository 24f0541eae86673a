"""`herald verify`: prove on a live system that nothing accepted was lost."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from herald.operator import operator_settings, run_operation


def verify(
    settled: Annotated[bool, typer.Option(help="Also fail while something is still under way")] = False,
) -> None:
    """Compare every consumer with its topics: consumed = applied + dead-lettered + passed over, nothing missing."""
    from herald import verify as checker

    report = run_operation(checker.verify(operator_settings()))
    table = Table("service", "topic", "consumed", "applied", "dead-lettered", "not asked for", "pending", "missing")
    for one in report.accounts:
        counts = (one.consumed, one.applied + one.aged, one.buried, one.passed, one.pending, one.missing)
        table.add_row(one.service, one.topic, *(f"{count:,}" for count in counts))
    console = Console()
    console.print(table)
    for outbox in report.outboxes:
        if outbox.pending:
            console.print(
                f"{outbox.service}: {outbox.pending} events wait in the outbox, {outbox.oldest_seconds:.0f} s"
            )
    for one in report.accounts:
        for example in one.examples:
            console.print(f"missing: {one.service} never applied {one.topic} {example}", style="red")
    good = report.settled if settled else report.ok
    console.print(
        "Nothing is missing." if report.ok else "Something is missing.", style="green" if report.ok else "red"
    )
    raise typer.Exit(0 if good else 1)
