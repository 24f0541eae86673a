"""How operators' commands find the installation: by the environment, or the stack that runs here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from chassis.kafka.producer import Unacknowledged
from chassis.settings import StoreSettings, faults
from herald.local.home import Home, default_folder
from herald.local.mongod import REPLICA_SET
from herald.local.ports import LOOPBACK

T = TypeVar("T")


class OperatorSettings(StoreSettings):
    """Kafka and MongoDB as operators reach them: HERALD_KAFKA_BOOTSTRAP, HERALD_MONGO_URL, HERALD_NAMESPACE."""


def operator_settings() -> OperatorSettings:
    """Settings of the environment, completed by those of the running stack. Raises typer.Exit."""
    here = _running_stack()
    missing = {name: value for name, value in here.items() if f"HERALD_{name.upper()}" not in os.environ}
    try:
        return OperatorSettings(**missing)
    except ValidationError as error:
        names = ", ".join(f"HERALD_{str(one['loc'][0]).upper()}" for one in error.errors() if one["type"] == "missing")
        said = f"nothing runs here: start it with 'herald up', or set {names}" if names else "; ".join(faults(error))
        typer.echo(f"herald: {said}", err=True)
        raise typer.Exit(2) from None


def _running_stack() -> dict[str, Any]:
    children = Home(default_folder()).read_state().get("children", {})
    if not {"kafka", "mongod"} <= set(children):
        return {}
    return {
        "kafka_bootstrap": f"{LOOPBACK}:{children['kafka']['port']}",
        "mongo_url": f"mongodb://{LOOPBACK}:{children['mongod']['port']}/?replicaSet={REPLICA_SET}",
    }


def run_operation(work: Coroutine[Any, Any, T]) -> T:
    """Runs it; an unreachable server ends the command with one sentence and exit code 1."""
    try:
        return asyncio.run(work)
    except (KafkaError, PyMongoError, Unacknowledged, TimeoutError, OSError) as error:
        typer.echo(f"herald: {type(error).__name__}: {error}"[:500], err=True)
        raise typer.Exit(1) from None
