"""`herald secrets`: which secrets an installation needs, and a Kubernetes Secret with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table

from herald.operations.secrets import SECRETS, contents

app = typer.Typer(name="secrets", no_args_is_help=True, help="The secrets of an installation on Kubernetes.")


@app.command("list")
def list_() -> None:
    """Print the keys of the Secret, the variables that they become, and where each comes from."""
    table = Table("key", "variable", "read by", "from", "for")
    for one in SECRETS:
        origin = "made by herald secrets init" if one.made else "you, where it is used" if one.optional else "you"
        table.add_row(one.key, one.variable, one.read_by, origin, one.description)
    Console().print(table)


@app.command()
def init(
    name: Annotated[str, typer.Option(help="the Secret's name: secrets.existingSecret of the chart")] = "herald",
    namespace: Annotated[str, typer.Option(help="the Kubernetes namespace; kubectl's present one without it")] = "",
    out: Annotated[Path | None, typer.Option(help="the file to write; printed without it")] = None,
) -> None:
    """Make a Secret for the chart: fresh keys, and what you bring from the environment (HERALD_MONGO_URL and so on)."""
    data, missing = contents(os.environ)
    if missing:
        for one in missing:
            typer.echo(f"herald: set {one.variable}: {one.description}", err=True)
        raise typer.Exit(2)
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    manifest = yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": data},
        sort_keys=False,
    )
    if out is None:
        typer.echo(manifest, nl=False)
        return
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        typer.echo(
            f"herald: {out} is there already: new keys would sign everybody out; remove it to get them", err=True
        )
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"herald: {out}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    with os.fdopen(handle, "w") as file:
        file.write(manifest)
    typer.echo(f"{out} is written: 'kubectl apply -f {out}', then keep it where your secrets are kept, or remove it")
