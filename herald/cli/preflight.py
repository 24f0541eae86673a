"""`herald preflight`: whether what Herald needs is there, before it is installed or updated."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer
from pydantic import ValidationError


def preflight(
    need: Annotated[
        list[str] | None,
        typer.Option(help="VARIABLE=PLACE: a secret that must be set, and where it comes from; may be repeated"),
    ] = None,
    installed: Annotated[
        str, typer.Option(envvar="HERALD_INSTALLED_VERSION", help="The version that is installed; empty where none is")
    ] = "",
    update_to: Annotated[str, typer.Option(help="The version that comes")] = "",
) -> None:
    """Look at secrets, Kafka with its topics, MongoDB, Redis, the issuer, and the step from one version to another;
    exit 1 with a sentence for each problem.

    Reads the variables that every service reads. Changes nothing.
    """
    from chassis.settings import Settings, faults
    from herald.operations.preflight import Finding, look, missing_secrets, step_problem

    needs = dict(part for one in need or [] if len(part := one.split("=", 1)) == 2)
    found = missing_secrets(needs, os.environ)
    if installed and update_to:
        found = [Finding("version", step_problem(installed, update_to)), *found]
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in faults(error):
            typer.echo(f"no   {fault}", err=True)
    else:
        found = [*found, *asyncio.run(look(settings))]
    for finding in found:
        said = f"no   {finding.about}: {finding.problem}" if finding.problem else f"ok   {finding.about}"
        typer.echo(said, err=finding.problem is not None)
    if not all(finding.problem is None for finding in found) or not found or found[-1].about != "issuer":
        typer.echo("Herald is not installed or updated before that is mended.", err=True)
        raise typer.Exit(1)
