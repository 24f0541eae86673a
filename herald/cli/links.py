"""`herald links`: clicks that wait on disk because no links process has that disk any more."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

app = typer.Typer(name="links", no_args_is_help=True, help="Clicks that wait on a disk that no process has any more.")


@app.command()
def drain(
    spool: Annotated[Path, typer.Option(envvar="HERALD_SPOOL_DIR", help="The folder with the clicks")] = Path(
        ".herald/spool"
    ),
    within: Annotated[float, typer.Option(min=0, help="Seconds until it gives up; what is left stays")] = 240.0,
) -> None:
    """Send the clicks of a folder to Kafka; exit 0 once none is left. Reads the variables for Kafka."""
    from chassis.settings import KafkaSettings, faults
    from services.sharing.redirect.drain import drain_until_empty
    from services.sharing.redirect.spool import Spool

    try:
        settings = KafkaSettings()
    except ValidationError as error:
        for fault in faults(error):
            typer.echo(f"herald: {fault}", err=True)
        raise typer.Exit(2) from None
    sent = [0]

    def drained(clicks: int) -> None:
        sent[0] += clicks

    try:
        left = asyncio.run(drain_until_empty(settings, Spool(spool, max_bytes=0), within, drained))
    except OSError as error:
        typer.echo(f"herald: {spool} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{sent[0]} clicks sent to {settings.kafka_bootstrap}")
    if left:
        typer.echo(
            f"herald: {left} bytes are left in {spool} after {within:.0f} s: Kafka does not take them, or a links "
            "process has them; run it again",
            err=True,
        )
        raise typer.Exit(1)


@app.command("drain-gone")
def drain_gone(
    stateful_set: Annotated[str, typer.Option(help="The StatefulSet whose claims are looked at")],
    selector: Annotated[str, typer.Option(help="Labels of its pods and claims")],
    job: Annotated[Path, typer.Option(help="The Job, as JSON, that drains a claim; the claim's name is filled in")],
    claim: Annotated[str, typer.Option(help="The name of its volumeClaimTemplate")] = "spool",
) -> None:
    """On Kubernetes: start a Job for each claim of links whose pod is gone for good, since it was scaled away."""
    import httpx

    from herald.operations.gone_links import look
    from herald.operations.kubernetes import NotInPod, cluster_of_pod

    try:
        with cluster_of_pod() as cluster:
            for said in look(cluster, stateful_set, selector, claim, json.loads(job.read_text("utf-8"))):
                typer.echo(said)
    except NotInPod as error:
        typer.echo(f"herald: {error}", err=True)
        raise typer.Exit(1) from None
    except httpx.HTTPStatusError as error:
        path = error.request.url.path
        typer.echo(f"herald: Kubernetes answers {error.response.status_code} to {path}: look at the Role", err=True)
        raise typer.Exit(1) from None
    except httpx.HTTPError as error:
        typer.echo(
            f"herald: Kubernetes does not answer ({type(error).__name__}): networkPolicy.egress.kubernetes must let "
            "its API server through",
            err=True,
        )
        raise typer.Exit(1) from None
