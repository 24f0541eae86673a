"""`herald topics`: compare a cluster's topics with `contracts/topics`, and create them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from herald.operations.topics import Change

app = typer.Typer(name="topics", no_args_is_help=True, help="Compare and create the topics of contracts/topics.")

Bootstrap = Annotated[str, typer.Option(envvar="HERALD_KAFKA_BOOTSTRAP", help="host:port of brokers, comma between")]
Namespace = Annotated[str, typer.Option(envvar="HERALD_NAMESPACE", help="prefix of this installation's topics")]
AcceptKept = Annotated[bool, typer.Option("--accept-kept", help="exit 0 although a difference was kept and shown")]
Grow = Annotated[bool, typer.Option("--grow", help="also add partitions: keys move to other partitions")]


@app.command()
def plan(bootstrap: Bootstrap, namespace: Namespace = "", grow: Grow = False) -> None:
    """Show how the cluster differs from the files; exit 2 if it does."""
    changes = _compare(bootstrap, namespace, grow, write=False)
    raise typer.Exit(2 if changes else 0)


@app.command()
def apply(bootstrap: Bootstrap, namespace: Namespace = "", grow: Grow = False, accept_kept: AcceptKept = False) -> None:
    """Create and change topics; nothing is deleted. Exit 2 if a difference was kept."""
    changes = _compare(bootstrap, namespace, grow, write=True)
    raise typer.Exit(2 if not accept_kept and any(change.action == "keep" for change in changes) else 0)


def _compare(bootstrap: str, namespace: str, grow: bool, *, write: bool) -> list[Change]:
    from aiokafka.errors import KafkaError

    from chassis.settings import KafkaSettings
    from herald.operations.topics import apply_topics, plan_topics

    try:
        security = KafkaSettings(kafka_bootstrap=bootstrap, namespace=namespace).kafka_options()
        servers = security.pop("bootstrap_servers")
        work = apply_topics if write else plan_topics
        changes = asyncio.run(work(servers, namespace, grow=grow, **security))
    except (KafkaError, TimeoutError) as error:
        typer.echo(f"Kafka at {bootstrap}: {error}", err=True)
        raise typer.Exit(1) from None
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _print(changes, namespace)
    return changes


def _print(changes: Sequence[Change], namespace: str) -> None:
    if not changes:
        typer.echo("The topics are as contracts/topics says.")
        return
    from herald.operations.topics import topic_name

    table = Table("topic", "setting", "actual", "wanted", "action")
    for change in changes:
        actual = "-" if change.actual is None else change.actual
        name = topic_name(change.topic, namespace)
        table.add_row(name, change.setting, actual, change.wanted, change.action)
    Console().print(table)
