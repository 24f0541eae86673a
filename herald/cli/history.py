"""`herald history import`: imports a programme's past from another product."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from services.hub.clients import Apis
    from services.hub.history.formats import LineError
    from services.hub.history.importer import File, Importer, Report
    from services.hub.history.plan import Plan

app = typer.Typer(name="history", no_args_is_help=True, help="Bring in what another product knows of the past.")
SERVICES = ("program", "content", "sharing")
SHOWN_ERRORS = 50


@app.callback()
def history() -> None:
    """Bring in what another product knows of the past."""


@app.command(name="import")
def import_history(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON lines, in any order", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="The product that they come from; always use the same name")],
    program: Annotated[str, typer.Option(help="Id or name; not needed if there is only one")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be imported, and write nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Import without asking first")] = False,
    url: Annotated[str, typer.Option(help="Herald's address; by default that of the stack that runs here")] = "",
    persona: Annotated[str, typer.Option("--as", help="Who imports, on a local stack: a manager")] = "marc",
) -> None:
    """Import past memberships, items, posts and engagement; see docs/guides/history.md for the files.

    HERALD_TOKEN is the bearer token of a manager or administrator; on a local stack it is not needed. The same files
    again change nothing: repeat an import that was interrupted.
    """
    import httpx

    from services.hub.clients import ApiError
    from services.hub.history.formats import Unreadable
    from services.hub.history.importer import File

    address, token = _url_and_token(url, persona)
    given = [File(path.name, path.read_bytes()) for path in files]
    try:
        refused = asyncio.run(_import(address, token, given, source, program, preview=preview, ask=not yes))
    except Unreadable as wrong:
        _print_errors(wrong.errors)
        raise typer.Exit(2) from None
    except (ApiError, httpx.HTTPError) as error:
        typer.echo(f"herald: {error}; begin again, what was imported is known", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(1 if refused else 0)


def _url_and_token(url: str, persona: str) -> tuple[str, str]:
    """The address and a bearer token: as given, or of the stack that runs here."""
    from herald.cli.token import fetch_token
    from herald.local.home import Home, default_folder

    home = Home(default_folder())
    address = (url or str(home.read_state().get("url") or "")).rstrip("/")
    if not address:
        typer.echo("herald: nothing runs here: start it with 'herald up', or give --url", err=True)
        raise typer.Exit(2)
    token = os.environ.get("HERALD_TOKEN", "")
    if not token:
        from herald.development.issuer import PERSONA_GRANT

        token = fetch_token(f"{address}/issuer", home.issuer_key, {"grant_type": PERSONA_GRANT, "persona": persona})
    return address, token


async def _import(
    address: str, token: str, files: Sequence[File], source: str, program: str, *, preview: bool, ask: bool
) -> bool:
    """Whether anything was refused."""
    import httpx

    from services.hub.clients import Apis, Caller
    from services.hub.history.importer import Importer
    from services.hub.history.plan import Plan

    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        apis = Apis(http, {name: f"{address}/api/{name}" for name in SERVICES}, Caller(token))
        found = await _program(apis, program)
        plan = Plan(files, found["time_zone"], datetime.now(UTC))
        importer = Importer(apis, found["id"], source)
        said = await _run(plan, importer, preview=True)
        _print_result(found["name"], said, "would be imported")
        if preview or not said.new.total():
            return bool(said.refused)
        if ask and not typer.confirm(f"Import {said.new.total()} rows into {found['name']}?"):
            raise typer.Exit(1)
        done = await _run(plan, importer, preview=False)
        _print_result(found["name"], done, "imported")
        return bool(done.refused)


async def _program(apis: Apis, wanted: str) -> dict[str, Any]:
    from services.hub.paths import v1

    found: list[dict[str, Any]] = (await apis.get("program", v1("programs"), limit=100))["items"]
    fitting = [one for one in found if not wanted or wanted in (one["id"], one["name"])]
    if len(fitting) != 1:
        names = ", ".join(f"{one['name']} ({one['id']})" for one in found) or "none"
        typer.echo(f"herald: name one programme with --program; there are: {names}", err=True)
        raise typer.Exit(2)
    return fitting[0]


async def _run(plan: Plan, importer: Importer, *, preview: bool) -> Report:
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("checking" if preview else "importing", total=plan.total)
        return await plan.run(importer, preview=preview, tell=lambda done, _: progress.update(task, completed=done))


def _print_result(name: str, report: Report, what: str) -> None:
    table = Table("rows", what, "known already", "refused", title=name)
    for kind in ("membership", "item", "post", "engagement", "line"):
        counts: list[Counter[str]] = [report.new, report.known, report.refused]
        if any(count[kind] for count in counts):
            table.add_row(kind, *(str(count[kind]) for count in counts))
    Console().print(table)
    _print_errors(report.errors)


def _print_errors(errors: Sequence[LineError]) -> None:
    for error in errors[:SHOWN_ERRORS]:
        where = f"{error.file or 'file'}, line {error.line}"
        typer.echo(f"{where}: {error.field}: {error.detail} ({error.rule})", err=True)
    if len(errors) > SHOWN_ERRORS:
        typer.echo(f"... and {len(errors) - SHOWN_ERRORS} more", err=True)
