"""`herald topics`: compare a cluster's topics with `contracts/topics`, and create them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from herald.topics import Change

T = TypeVar("T")

app = typer.Typer(
    name="topics", no_args_is_help=True, help="Compare and create the topics of contracts/topics."
)

Bootstrap = Annotated[str, typer.Option(envvar="HERALD_KAFKA_BOOTSTRAP", help="host:port of a Kafka broker")]
Namespace = Annotated[
    str, typer.Option(envvar="HERALD_NAMESPACE", help="prefix of this installation's topics")
]
Grow = Annotated[bool, typer.Option("--grow", help="also add partitions: keys move to other partitions")]


@app.command()
def plan(bootstrap: Bootstrap, namespace: Namespace = "", grow: Grow = False) -> None:
    """Show how the cluster differs from the files; exit 2 if it does."""
    from herald.topics import plan_topics

    changes = _run(plan_topics(bootstrap, namespace, grow=grow), bootstrap)
    _print(changes, namespace)
    raise typer.Exit(2 if changes else 0)


@app.command()
def apply(bootstrap: Bootstrap, namespace: Namespace = "", grow: Grow = False) -> None:
    """Create and change topics; nothing is taken away. Exit 2 if something that differs was kept."""
    from herald.topics import apply_topics

    changes = _run(apply_topics(bootstrap, namespace, grow=grow), bootstrap)
    _print(changes, namespace)
    raise typer.Exit(2 if any(change.action == "keep" for change in changes) else 0)


def _run(work: Coroutine[Any, Any, T], bootstrap: str) -> T:
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(work)
    except (KafkaError, TimeoutError) as error:
        typer.echo(f"Kafka at {bootstrap}: {error}", err=True)
    except ValueError as error:
        typer.echo(str(error), err=True)
    raise typer.Exit(1)


def _print(changes: Sequence[Change], namespace: str) -> None:
    if not changes:
        typer.echo("The topics are as contracts/topics says.")
        return
    from herald.topics import topic_name

    table = Table("topic", "setting", "actual", "wanted", "action")
    for change in changes:
        actual = "-" if change.actual is None else change.actual
        name = topic_name(change.topic, namespace)
        table.add_row(name, change.setting, actual, change.wanted, change.action)
    Console().print(table)
