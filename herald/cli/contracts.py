"""`herald contracts`: generate the documents of `contracts/`, check them, and release them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from herald.operations.topics import CONTRACTS

app = typer.Typer(
    name="contracts", no_args_is_help=True, help="Generate, check and release the schemas and documents of contracts/."
)


@app.command()
def generate() -> None:
    """Write what is stale: schemas, AsyncAPI and OpenAPI documents, rights, alerts, dashboards, the chart's files."""
    from herald.contracts import chart, rights
    from herald.contracts.documents import generate as write
    from herald.observability import files as observed

    try:
        changed = [f"contracts/{path}" for path in write()]
        if rights.generate():
            changed.append(str(rights.PAGE.relative_to(CONTRACTS.parent)))
        changed += [str(path.relative_to(CONTRACTS.parent)) for path in (*observed.generate(), *chart.generate())]
    except (LookupError, ValueError) as error:
        raise _failed(error) from None
    for path in changed:
        typer.echo(path)
    typer.echo(f"{len(changed)} files changed." if changed else "All fresh.")


@app.command()
def check(
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="the folder of a release, instead of the last one")
    ] = None,
) -> None:
    """Check that the documents are fresh and consistent, and break no subscriber of the last release."""
    from herald.contracts import chart, rights
    from herald.contracts.checks import check as find
    from herald.contracts.released import releases
    from herald.observability import files as observed

    try:
        found = find(against=against)
        if rights.stale():
            found.append(f"{rights.PAGE.name}: not fresh, run 'herald contracts generate'")
        stale = (*observed.stale(), *chart.stale())
        found += [f"{path.name}: not fresh, run 'herald contracts generate'" for path in stale]
    except (LookupError, ValueError) as error:
        raise _failed(error) from None
    for finding in found:
        typer.echo(finding, err=True)
    last = [against] if against else releases()
    compared = f"compatible with {last[-1].name}" if last else "no release yet"
    typer.echo(f"{len(found)} findings." if found else f"Contracts are fresh and consistent; {compared}.")
    raise typer.Exit(1 if found else 0)


@app.command()
def release(version: Annotated[str, typer.Argument(help="such as 0.2.0; the one in contracts/pyproject.toml")]) -> None:
    """Store today's contracts as a release. Later contracts are compared with it."""
    from herald.contracts.checks import check as find
    from herald.contracts.released import ReleaseError, cut

    try:
        found = find()
        if found:
            raise ReleaseError("\n".join([*found, "These contracts cannot be released."]))
        folder = cut(version)
    except (ReleaseError, ValueError) as error:
        raise _failed(error) from None
    typer.echo(f"{folder.relative_to(CONTRACTS.parent)} is written; commit it.")


def _failed(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)
