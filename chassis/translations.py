"""How far a language is translated, and what a translator begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from chassis.messages import LANGUAGES, Catalogue, Forms, Messages, is_usable, read_catalogue


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the messages that there are, those that a language does not say (and English does instead), and those that it
    says of what English said before, not surely, or of nothing that there is any more."""

    language: str
    messages: int
    missing: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def translated(self) -> int:
        return self.messages - len(self.missing)


def english_of(folders: list[Path]) -> dict[str, Forms]:
    """Every message of some packages in English, by key."""
    found: dict[str, Forms] = {}
    for folder in folders:
        found |= Messages(folder).catalogue(LANGUAGES[0])
    return found


def coverage(language: str, english: Mapping[str, Forms], catalogue: Catalogue) -> Coverage:
    """How far a catalogue goes."""
    usable = {key for key in english.keys() & catalogue.texts if is_usable(catalogue, key, english[key])}
    said = {key for key, forms in catalogue.texts.items() if any(form.strip() for form in forms)}
    old = {
        key
        for key in said & english.keys()
        if key in catalogue.comments and catalogue.comments[key] != _comment(english[key])
    }
    outdated = old | (said - usable)
    return Coverage(language, len(english), tuple(sorted(english.keys() - usable)), tuple(sorted(outdated)))


def template(language: str, english: Mapping[str, Forms], known: Path | None = None) -> bytes:
    """A catalogue to translate: every message with its English as a comment, and with what a file says of it already,
    marked as fuzzy where English has changed since. Raises CatalogueError."""
    before = read_catalogue(known) if known else Catalogue({})
    catalog = Catalog(locale=language, project="Herald", charset="utf-8", fuzzy=False)
    for key, forms in english.items():
        said = before.texts.get(key, ())
        comment = _comment(forms)
        changed = any(said) and key in before.comments and before.comments[key] != comment
        id: str | tuple[str, str] = key if len(forms) == 1 else (key, key)
        text: str | tuple[str, ...] = (said[0] if said else "") if len(forms) == 1 else said
        flags = {"fuzzy"} if changed or key in before.fuzzy else set()
        catalog.add(id, text, auto_comments=[comment], flags=flags)
    file = BytesIO()
    write_po(file, catalog, width=0)
    return file.getvalue()


def _comment(english: Forms) -> str:
    """The English of a message as it stands in a comment: on one line."""
    return " ".join(" | ".join(english).split())
