"""`herald contracts`: generate the documents of `contracts/`, and check them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

app = typer.Typer(
    name="contracts", no_args_is_help=True, help="Generate and check the schemas and documents of contracts/."
)


@app.command()
def generate() -> None:
    """Write the schemas, AsyncAPI and OpenAPI documents that are stale."""
    from herald.contracts.documents import generate as write

    try:
        changed = write()
    except ValueError as error:
        raise _failed(error) from None
    for path in changed:
        typer.echo(f"contracts/{path}")
    typer.echo(f"{len(changed)} files changed." if changed else "All fresh.")


@app.command()
def check(
    against: Annotated[
        str | None,
        typer.Option(metavar="REF|DIR", help="a git reference or a contracts folder, not the last release"),
    ] = None,
) -> None:
    """Check that all is fresh and consistent, and breaks no subscriber of the last release (tag v*)."""
    from herald.contracts.checks import check as find
    from herald.contracts.released import ReleaseError, contracts_at, last_release

    with ExitStack() as stack:
        try:
            release = against or last_release()
            folder = stack.enter_context(contracts_at(release)) if release else None
            found = find(release=folder)
        except (ReleaseError, ValueError) as error:
            raise _failed(error) from None
    for finding in found:
        typer.echo(finding, err=True)
    compared = f"compatible with {release}" if release else "no release yet"
    typer.echo(f"{len(found)} findings." if found else f"Contracts are fresh and consistent; {compared}.")
    raise typer.Exit(1 if found else 0)


def _failed(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)
