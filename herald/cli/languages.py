"""`herald languages`: how far each language is translated, and a catalogue to translate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from chassis.messages import LANGUAGES, CatalogueError, read_catalogue
from chassis.translations import Coverage, coverage, english_of, template

SERVICES = Path(__file__).parents[2] / "services"


def languages(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="catalogues of further languages; HERALD_MESSAGES by default")
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--template", metavar="LANGUAGE", help="write a catalogue to translate, with what DIR has of it"),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="name each message that is missing or outdated")] = False,
) -> None:
    """Count the messages of each language that are translated, missing (said in English instead) and outdated.

    Exits with 1 where a language of Herald's own misses one, or a catalogue cannot be read.
    """
    folder = folder or (Path(named) if (named := os.environ.get("HERALD_MESSAGES")) else None)
    folders = sorted(SERVICES.glob("*/messages"))
    english = english_of(folders)
    try:
        if new:
            known = folder / f"{new}.po" if folder and (folder / f"{new}.po").exists() else None
            typer.echo(template(new, english, known).decode(), nl=False)
            return
        found = [*(_own(code, folders) for code in LANGUAGES), *_added(folder, english)]
    except (CatalogueError, LookupError, ValueError) as error:
        typer.echo(f"herald: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{'language':<10}{'messages':>10}{'translated':>12}{'missing':>9}{'outdated':>10}")
    for one in found:
        counts = f"{one.messages:>10}{one.translated:>12}{len(one.missing):>9}{len(one.outdated):>10}"
        typer.echo(f"{one.language:<10}{counts}")
        for word, keys in (("missing", one.missing), ("outdated", one.outdated)) if names else ():
            for key in keys:
                typer.echo(f"  {word} {key}")
    raise typer.Exit(1 if any(one.missing for one in found if one.language in LANGUAGES) else 0)


def _own(language: str, folders: list[Path]) -> Coverage:
    """One of Herald's own languages, of all packages together."""
    parts = [coverage(language, english_of([one]), read_catalogue(one / f"{language}.po")) for one in folders]
    missing = tuple(key for one in parts for key in one.missing)
    outdated = tuple(key for one in parts for key in one.outdated)
    return Coverage(language, sum(one.messages for one in parts), missing, outdated)


def _added(folder: Path | None, english: dict[str, tuple[str, ...]]) -> list[Coverage]:
    files = sorted(folder.glob("*.po")) if folder else []
    return [coverage(one.stem, english, read_catalogue(one)) for one in files if one.stem not in LANGUAGES]
