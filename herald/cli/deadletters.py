"""`herald deadletters`: what could not be processed, why, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from chassis.dead_letters.store import DeadLetter, DeadLetterStore, as_json, as_text
from chassis.kafka.producer import Producer
from herald.operations.settings import OperatorSettings, operator_settings, run_operation

app = typer.Typer(name="deadletters", no_args_is_help=True, help="Look at dead letters, replay or drop them.")
BY = "herald deadletters"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")

Service = Annotated[str, typer.Option(help=f"One of {', '.join(SERVICES)}; all when left out")]
EventType = Annotated[str, typer.Option("--type", help="Only this event type, such as herald.PostShared.v1")]
Rule = Annotated[str, typer.Option(help="Only what broke this rule, such as schema-mismatch or failed")]
Go = Annotated[bool, typer.Option("--go", help="Do it; without it, only say what would be done")]
Ids = Annotated[list[str] | None, typer.Argument(help="Only these letters")]


@app.command(name="list")
def list_letters(service: Service = "", event_type: EventType = "", rule: Rule = "") -> None:
    """Show the open dead letters in the order of their origin."""
    letters = _found(service, event_type, rule, None)
    if not letters:
        typer.echo("There are no open dead letters.")
        return
    for one in letters:
        typer.echo(f"{one.id}  {one.service}  {one.at:%Y-%m-%d %H:%M:%S}  {as_text(one.rule.encode())}")
        what = f"{one.event_type or 'no type'} of {one.topic}/{one.partition}/{one.offset}"
        typer.echo(f"    {as_text(what.encode())}: {as_text(one.detail.encode())}")


@app.command()
def show(id: Annotated[str, typer.Argument(help="As in 'list'")], service: Service = "") -> None:
    """Show one letter whole: headers and value as they came."""
    letters = _found(service, "", "", [id])
    if not letters:
        typer.echo(f"herald: there is no open dead letter {id}", err=True)
        raise typer.Exit(1)
    one = letters[0]
    content = run_operation(DeadLetterStore(one.service, operator_settings()).content(one))
    if content is None:
        typer.echo("herald: its record is no longer there", err=True)
        raise typer.Exit(1)
    typer.echo(f"{one.service}: {one.rule}: {one.detail}")
    typer.echo(f"from {one.topic}, partition {one.partition}, offset {one.offset}, at {one.at.isoformat()}")
    if one.left_out:
        typer.echo(f"too large to be kept whole, and so to be replayed: without {one.left_out}")
    typer.echo(f"key: {as_text(content.key)}")
    for name, value in content.headers:
        typer.echo(f"  {name}: {as_text(value)}")
    typer.echo(as_json(content.value) or as_text(content.value))


@app.command()
def replay(
    ids: Ids = None,
    service: Service = "",
    event_type: EventType = "",
    rule: Rule = "",
    per_second: Annotated[float, typer.Option(min=0.1, help="At most so many a second")] = 50.0,
    go: Go = False,
) -> None:
    """Publish letters again where they came from, in order. Who applied an event already drops the repeat."""
    found = _found(service, event_type, rule, ids)
    letters = [one for one in found if not one.left_out]
    if len(letters) < len(found):
        typer.echo(f"{len(found) - len(letters)} are not whole and cannot be replayed; see 'herald deadletters show'")
    if _only_said("replay", letters, go):
        return
    settings = operator_settings()
    run_operation(_replay(letters, settings, per_second))
    typer.echo(f"{len(letters)} replayed")


@app.command()
def drop(ids: Ids = None, service: Service = "", event_type: EventType = "", rule: Rule = "", go: Go = False) -> None:
    """Close letters that need nothing more. Their records stay on the topic."""
    letters = _found(service, event_type, rule, ids)
    if _only_said("drop", letters, go):
        return
    run_operation(_drop(letters, operator_settings()))
    typer.echo(f"{len(letters)} dropped")


def _only_said(what: str, letters: Sequence[DeadLetter], go: bool) -> bool:
    if go and letters:
        return False
    for one in letters:
        typer.echo(f"would {what} {one.id} {one.event_type} ({one.rule}) of {one.topic}/{one.partition}/{one.offset}")
    typer.echo(f"{len(letters)} to {what}" + ("; add --go to do it" if letters else ""))
    return True


def _found(service: str, event_type: str, rule: str, ids: Sequence[str] | None) -> list[DeadLetter]:
    if service and service not in SERVICES:
        typer.echo(f"herald: there is no service {service}; there are {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)

    def wanted(letter: DeadLetter) -> bool:
        return (
            (not event_type or letter.event_type == event_type)
            and (not rule or letter.rule == rule)
            and (not ids or letter.id in ids)
        )

    async def read() -> list[DeadLetter]:
        settings = operator_settings()
        return [letter for name in _services(service) for letter in await DeadLetterStore(name, settings).open(wanted)]

    return run_operation(read())


def _services(service: str) -> Sequence[str]:
    return (service,) if service else SERVICES


async def _replay(letters: Sequence[DeadLetter], settings: OperatorSettings, per_second: float) -> None:
    producer = Producer(settings)
    try:
        for name in dict.fromkeys(letter.service for letter in letters):
            own = [letter for letter in letters if letter.service == name]
            with Progress(console=Console(stderr=True)) as bar:
                task = bar.add_task(f"replaying letters of {name}", total=len(own))
                async for _ in DeadLetterStore(name, settings).replay(own, producer, per_second=per_second, by=BY):
                    bar.advance(task)
    finally:
        await producer.close()


async def _drop(letters: Sequence[DeadLetter], settings: OperatorSettings) -> None:
    producer = Producer(settings)
    try:
        for name in dict.fromkeys(letter.service for letter in letters):
            await DeadLetterStore(name, settings).drop([one for one in letters if one.service == name], producer, by=BY)
    finally:
        await producer.close()
