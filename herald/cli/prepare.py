"""`herald prepare SERVICE`: what a service needs before its roles start, as the service itself."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.service import Service
from herald.cli.run import SERVICES, load


def prepare(service: Annotated[str, typer.Argument(help=f"one of {', '.join(SERVICES)}")]) -> None:
    """Look whether the service's Kafka user may do what the topic files say, then create the indexes that are missing.

    Exit 1 with a sentence for each right that is missing; then nothing was changed. No index is dropped. Each role
    creates indexes too when it starts: done before an update of much data, no new pod waits for them.
    """
    if service not in SERVICES:
        typer.echo(f"there is no service {service}; there are {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    began = time.monotonic()
    try:
        missing = asyncio.run(_prepare(service))
    except (KafkaError, TimeoutError, OSError) as error:
        typer.echo(f"herald: Kafka cannot be asked: {type(error).__name__}: {error}"[:500], err=True)
        raise typer.Exit(1) from None
    except PyMongoError as error:
        said = f"herald: the indexes of {service} are not all there: {type(error).__name__}: {error}"
        typer.echo(said[:500], err=True)
        raise typer.Exit(1) from None
    for sentence in missing:
        typer.echo(f"no   {sentence}", err=True)
    if missing:
        typer.echo("Nothing was changed: give these rights, then try again.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{service} may do what it must, and its indexes are there, after {time.monotonic() - began:.1f} s.")


async def _prepare(name: str) -> list[str]:
    from herald.operations.rights import missing_rights

    service: Service = load(name)
    try:
        missing = await missing_rights(service.runtime.settings, name)
        if not missing:
            await service.create_indexes()
    finally:
        await service.runtime.close()
    return missing
