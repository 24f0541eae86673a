"""`herald deadletters`: what could not be processed, why, and what to do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.progress import Progress

from chassis import audit
from chassis.dead_letters import cap
from chassis.dead_letters.index import Group, Wanted, follow
from chassis.dead_letters.record import Content, DeadLetter
from chassis.dead_letters.store import DeadLetterStore, as_json, as_text
from chassis.kafka.producer import Producer
from chassis.mongo import Transaction
from herald.operations.acting import act
from herald.operations.settings import OperatorSettings, operator_settings, run_operation

app = typer.Typer(name="deadletters", no_args_is_help=True, help="Look at dead letters, replay or drop them.")
BY = "herald deadletters"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")
PAGE = 1000

Service = Annotated[str, typer.Option(help=f"One of {', '.join(SERVICES)}; all when left out")]
EventType = Annotated[str, typer.Option("--type", help="Only this event type, such as herald.PostShared.v1")]
Rule = Annotated[str, typer.Option(help="Only those with this rule, such as schema-mismatch or failed")]
Go = Annotated[bool, typer.Option("--go", help="Do it; otherwise only show what would be done")]
Ids = Annotated[list[str] | None, typer.Argument(help="Only these dead letters")]
Limit = Annotated[int, typer.Option(min=1, max=PAGE, help="At most this many of each service")]


@app.command(name="list")
def list_dead_letters(service: Service = "", event_type: EventType = "", rule: Rule = "", limit: Limit = 50) -> None:
    """Show the open dead letters in the order of their origin."""
    groups, found = run_operation(_list(_services(service), Wanted(event_type=event_type, rule=rule), limit))
    for one in found:
        typer.echo(f"{one.id}  {one.service}  {one.at:%Y-%m-%d %H:%M:%S}  {as_text(one.rule.encode())}")
        what = f"{one.event_type or 'no type'} of {one.topic}/{one.partition}/{one.offset}"
        typer.echo(f"    {as_text(what.encode())}: {as_text(one.detail.encode())}")
    total = sum(group.count for _, group in groups)
    if not total:
        typer.echo("There are no open dead letters.")
    elif total > len(found):
        typer.echo(f"{total} in all, of which the first {len(found)} are shown:")
        for name, group in groups:
            typer.echo(as_text(f"    {name}: {group.count} of {group.event_type or 'no type'}, {group.rule}".encode()))


@app.command()
def show(id: Annotated[str, typer.Argument(help="As in 'list'")], service: Service = "") -> None:
    """Show one dead letter whole: headers and value as they came."""
    found = run_operation(_show(_services(service), id))
    if found is None:
        typer.echo(f"herald: there is no open dead letter {id}", err=True)
        raise typer.Exit(1)
    one, content = found
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
    per_second: Annotated[float, typer.Option(min=0.1, help="At most this many a second")] = 50.0,
    go: Go = False,
) -> None:
    """Publish records to their topics again, in order. A consumer that has applied an event drops the repeat."""
    wanted = _wanted(ids, event_type, rule)
    if go:
        typer.echo(f"{run_operation(_replay(_services(service), wanted, per_second))} replayed")
    else:
        _print_dry_run("replay", _services(service), wanted)


@app.command()
def drop(ids: Ids = None, service: Service = "", event_type: EventType = "", rule: Rule = "", go: Go = False) -> None:
    """Close dead letters that need nothing more. Their records stay on the topic."""
    wanted = _wanted(ids, event_type, rule)
    if go:
        typer.echo(f"{run_operation(_drop(_services(service), wanted))} dropped")
    else:
        _print_dry_run("drop", _services(service), wanted)


@app.command()
def resume(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}")],
    per_second: Annotated[float, typer.Option(min=0.1, help="Dead letters a second, for each worker")] = 2000.0,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="For how long")] = 15.0,
) -> None:
    """Resume partitions that the cap on dead letters has paused, with a higher cap for a while."""
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    run_operation(_resume(_services(service)[0], per_second, until))
    typer.echo(f"{service} dead-letters up to {per_second:g} records a second until {until:%H:%M:%S} UTC")


@app.command()
def reindex(service: Service = "") -> None:
    """Build the index of dead letters anew from Kafka."""
    for name in _services(service):
        typer.echo(f"{name}: {run_operation(_reindex(name))} open")


def _services(service: str) -> Sequence[str]:
    if service and service not in SERVICES:
        typer.echo(f"herald: there is no service {service}; there are {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    return (service,) if service else SERVICES


def _wanted(ids: Sequence[str] | None, event_type: str, rule: str) -> Wanted:
    return Wanted(tuple(ids or ()), event_type, rule, datetime.now(UTC))


def _print_dry_run(what: str, services: Sequence[str], wanted: Wanted) -> None:
    found, total = run_operation(_planned(services, wanted))
    for one in found:
        typer.echo(f"would {what} {one.id} {one.event_type} ({one.rule}) of {one.topic}/{one.partition}/{one.offset}")
    if len(found) < total:
        typer.echo("...")
    typer.echo(f"{total} to {what}" + ("; add --go to do it" if total else ""))


@asynccontextmanager
async def _stores(services: Sequence[str]) -> AsyncIterator[dict[str, DeadLetterStore]]:
    settings = operator_settings()
    client = _client(settings)
    try:
        yield {name: DeadLetterStore(name, settings, client[settings.database(name)]) for name in services}
    finally:
        await client.close()


def _client(settings: OperatorSettings) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(
        settings.mongo_url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=5_000, **settings.mongo_options()
    )


async def _list(
    services: Sequence[str], wanted: Wanted, limit: int
) -> tuple[list[tuple[str, Group]], list[DeadLetter]]:
    groups, found = [], []
    async with _stores(services) as stores:
        for name, store in stores.items():
            groups += [
                (name, group)
                for group in await store.index.groups()
                if wanted.event_type in ("", group.event_type) and wanted.rule in ("", group.rule)
            ]
            found += await store.index.page(wanted, after=None, limit=limit)
    return groups, found


async def _show(services: Sequence[str], id: str) -> tuple[DeadLetter, Content | None] | None:
    async with _stores(services) as stores:
        for store in stores.values():
            if (found := await store.index.find(id)) is not None:
                return found, await store.topic.content(found)
    return None


async def _planned(services: Sequence[str], wanted: Wanted) -> tuple[list[DeadLetter], int]:
    async with _stores(services) as stores:
        pages = [await store.index.page(wanted, after=None, limit=PAGE) for store in stores.values()]
        return [one for page in pages for one in page], sum(
            [await store.index.count(wanted) for store in stores.values()]
        )


async def _pages(store: DeadLetterStore, wanted: Wanted) -> AsyncIterator[list[DeadLetter]]:
    """The dead letters to process, page by page. Those that cannot be replayed stay open and are not returned again."""
    after = None
    while page := await store.index.page(wanted, after=after, limit=PAGE):
        yield page
        after = page[-1].origin


async def _replay(services: Sequence[str], wanted: Wanted, per_second: float) -> int:
    producer, count = Producer(operator_settings()), 0
    try:
        async with _stores(services) as stores:
            for name, store in stores.items():
                total = await store.index.count(wanted, whole=True)
                if not_whole := await store.index.count(wanted, whole=False):
                    typer.echo(f"{not_whole} are not whole and cannot be replayed; see 'herald deadletters show'")
                if total:
                    await _record(name, "replay_dead_letters", wanted, total)
                with Progress(console=Console(stderr=True)) as bar:
                    task = bar.add_task(f"replaying dead letters of {name}", total=total)
                    async for page in _pages(store, wanted):
                        async for _ in store.replay(page, producer, per_second=per_second, by=BY):
                            bar.advance(task)
                            count += 1
    finally:
        await producer.close()
    return count


async def _drop(services: Sequence[str], wanted: Wanted) -> int:
    producer, count = Producer(operator_settings()), 0
    try:
        async with _stores(services) as stores:
            for name, store in stores.items():
                if total := await store.index.count(wanted):
                    await _record(name, "drop_dead_letters", wanted, total)
                async for page in _pages(store, wanted):
                    await store.drop(page, producer, by=BY)
                    count += len(page)
    finally:
        await producer.close()
    return count


async def _resume(service: str, per_second: float, until: datetime) -> None:
    settings = operator_settings()

    async def lift(tx: Transaction) -> None:
        db = client[settings.database(service)]
        await cap.lift(db, per_second=per_second, until=until, by=BY, session=tx.session)
        facts = {"per_second": per_second, "until": until}
        audit.record(tx, "resume_consumer", "consumer", service, facts=facts)

    async with _client(settings) as client:
        await act(client, settings, service, lift)


async def _record(service: str, name: str, wanted: Wanted, count: int) -> None:
    """Put an act into the audit trail before it begins: what is on Kafka is in no transaction."""
    which = {"ids": wanted.ids, "type": wanted.event_type, "rule": wanted.rule, "before": wanted.before}
    facts = {**{key: value for key, value in which.items() if value}, "count": count}

    async def record(tx: Transaction) -> None:
        audit.record(tx, name, "dead_letters", audit.ALL, facts=facts)

    settings = operator_settings()
    async with _client(settings) as client:
        await act(client, settings, service, record)


async def _reindex(service: str) -> int:
    async with _stores([service]) as stores:
        index = stores[service].index
        await index.clear()
        await index.ensure_indexes()
        await follow(index, service, operator_settings(), seconds=None)
        return await index.count(Wanted())
