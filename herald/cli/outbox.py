"""`herald outbox`: events that cannot be sent, and what to do with them."""

from __future__ import annotations

from typing import Annotated

import typer

from chassis.dead_letters.store import as_text
from chassis.mongo import Document
from herald.operations.outbox import SERVICES, Blocked, outboxes
from herald.operations.settings import operator_settings, run_operation

app = typer.Typer(name="outbox", no_args_is_help=True, help="Look at events that cannot be sent.")
blocked = typer.Typer(name="blocked", no_args_is_help=True, help="Blocked lanes (a topic and a key).")
app.add_typer(blocked)
SHOWN = 2000

Lane = Annotated[str, typer.Argument(help="As in 'list'")]
Service = Annotated[str, typer.Option(help=f"One of {', '.join(SERVICES)}; all when left out")]


@blocked.command(name="list")
def list_lanes(service: Service = "") -> None:
    """Show the blocked lanes, each with the event in the way and how many wait with it."""
    found = run_operation(_found(service))
    for one in found:
        lane = one.lane
        typer.echo(f"{lane.id}  {one.service}  {lane.at:%Y-%m-%d %H:%M:%S}  {lane.rule} ({lane.detail})")
        typer.echo(f"    event {lane.row} of {lane.size:,} bytes; {lane.rows} events set aside with it")
    if not found:
        typer.echo("No lane is blocked.")


@blocked.command()
def show(lane: Lane, service: Service = "") -> None:
    """Show the event in the way: its headers, and the beginning of its value."""

    async def read() -> tuple[Blocked, Document | None]:
        async with outboxes(operator_settings()) as own:
            one = _only_match(await own.blocked(_known(service), lane), lane)
            return one, await own.row(one)

    one, row = run_operation(read())
    typer.echo(f"{one.service}: {one.lane.rule} ({one.lane.detail}), {one.lane.rows} events set aside")
    if row is None:
        return
    typer.echo(f"topic: {row['topic']}\nkey: {as_text(row['key'])}")
    for name, value in row["headers"].items():
        typer.echo(f"  {name}: {as_text(value)}")
    value = bytes(row["value"])
    typer.echo(as_text(value[:SHOWN]) + (f" ... and {len(value) - SHOWN:,} bytes" if len(value) > SHOWN else ""))


@blocked.command()
def retry(lane: Lane, service: Service = "") -> None:
    """Have a lane sent again, in its order. It is blocked again if Kafka still refuses the event."""
    typer.echo(f"{run_operation(_put_back(service, lane, discard=False))} events go on")


@blocked.command()
def discard(
    lane: Lane,
    service: Service = "",
    go: Annotated[bool, typer.Option("--go", help="Do it; otherwise only show what would be done")] = False,
) -> None:
    """Discard the event in the way for good and publish those behind it. Its consumers will see a gap."""
    if not go:
        one = _only_match(run_operation(_found(service, lane)), lane)
        typer.echo(f"would drop event {one.lane.row}; {one.lane.rows - 1} events would go on; add --go to do it")
        return
    count = run_operation(_put_back(service, lane, discard=True))
    typer.echo(f"1 event dropped; {count} events go on")


async def _found(service: str, lane: str = "") -> list[Blocked]:
    async with outboxes(operator_settings()) as own:
        return await own.blocked(_known(service), lane)


async def _put_back(service: str, lane: str, *, discard: bool) -> int:
    async with outboxes(operator_settings()) as own:
        return await own.put_back(_only_match(await own.blocked(_known(service), lane), lane), discard=discard)


def _known(service: str) -> str:
    if service and service not in SERVICES:
        typer.echo(f"herald: there is no service {service}; there are {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    return service


def _only_match(found: list[Blocked], lane: str) -> Blocked:
    if not found:
        typer.echo(f"herald: there is no blocked lane {lane}; see 'herald outbox blocked list'", err=True)
        raise typer.Exit(1)
    return found[0]
