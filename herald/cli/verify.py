"""`herald verify`: prove on a live system that nothing accepted was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from herald.operations.settings import operator_settings, run_operation

if TYPE_CHECKING:
    from herald.operations.verify import Account

COLUMNS = ("topic", "records", "applied", "dead letters", "pending", "not for it", "missing")
WIDTH = 90


def verify(
    settled: Annotated[bool, typer.Option(help="Also fail while events are still pending")] = False,
) -> None:
    """Compare every consumer with its topics: applied, dead-lettered, pending or not meant for it; nothing missing."""
    from herald.operations import verify as checker

    report = run_operation(checker.verify(operator_settings()))
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print("Of each topic: records = applied + dead letters + pending + not for it + missing\n")
    for service in sorted({account.service for account in report.accounts}):
        console.print(_table(service, [account for account in report.accounts if account.service == service]))
    for outbox in report.outboxes:
        if outbox.pending:
            console.print(
                f"{outbox.service}: {outbox.pending} events wait in the outbox, {outbox.oldest_seconds:.0f} s"
            )
        if outbox.blocked:
            console.print(
                f"{outbox.service}: {outbox.blocked} events are set aside in {outbox.blocked_lanes} blocked lanes; "
                "see 'herald outbox blocked list'"
            )
    for one in report.accounts:
        for example in one.examples:
            console.print(f"missing: {one.service} never applied {one.topic} {example}", style="red")
        if one.lost:
            console.print(
                f"lost: retention took {one.lost} of {one.topic} before {one.service} consumed them", style="red"
            )
    good = report.settled if settled else report.ok
    console.print(
        "Nothing is missing." if report.ok else "Something is missing.", style="green" if report.ok else "red"
    )
    raise typer.Exit(0 if good else 1)


def _table(service: str, accounts: Sequence[Account]) -> Table:
    """How a service handled the records of each topic that it consumes, with sums."""
    rows = [
        (one.found, one.applied + one.aged, one.dead_lettered, one.pending, one.passed_over, one.missing)
        for one in accounts
    ]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    table = Table(title=service, title_justify="left", show_footer=True, box=SIMPLE)
    for name, text in zip(COLUMNS, ["all", *(f"{count:,}" for count in sums)], strict=True):
        table.add_column(name, text, justify="left" if name == "topic" else "right", no_wrap=True)
    for account, row in zip(accounts, rows, strict=True):
        table.add_row(account.topic, *(f"{count:,}" for count in row))
    return table
