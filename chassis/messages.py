"""Texts that people read: a gettext catalogue for each language of a package, `messages/<language>.po`.

The id of a message is a dotted key (`share.on`). Its text may hold `{placeholders}`. A message that counts something
has plural forms, and `count` chooses among them as the language does.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "fr")
Forms = tuple[str, ...]


class Messages:
    """The catalogues in one folder; each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._catalogues: dict[str, dict[str, Forms]] = {}

    def catalogue(self, language: str) -> dict[str, Forms]:
        """Every text by its key: one form, or the singular and the plural."""
        found = self._catalogues.get(language)
        if found is None:
            found = self._catalogues[language] = _read(self._folder / f"{language}.po")
        return found

    def has(self, language: str, key: str) -> bool:
        return key in self.catalogue(language)

    def template(self, locale: Locale, key: str, count: float | None = None) -> str:
        """The text with its placeholders. Raises KeyError for a key that is not in the catalogue."""
        forms = self.catalogue(locale.language)[key]
        return forms[0] if len(forms) == 1 or locale.plural_form(count or 0) == "one" else forms[1]

    def text(self, language: str, key: str, **values: Any) -> str:
        """The text with its placeholders filled in; numbers as the language writes them. Raises KeyError."""
        locale = _locale(supported(language))
        return self.template(locale, key, values.get("count")).format(**shown(locale, values))


def supported(*wishes: str | None) -> str:
    """The first wish that is a language of ours; wishes are language tags, or values of Accept-Language."""
    for wish in wishes:
        for tag in (wish or "").replace("_", "-").split(","):
            name = tag.partition(";")[0].strip().lower().partition("-")[0]
            if name in LANGUAGES:
                return name
    return LANGUAGES[0]


def shown(locale: Locale, values: dict[str, Any]) -> dict[str, Any]:
    """The values as they stand in a text: numbers in the language's own writing, with one decimal at most."""
    return {name: number(locale, value, 1) if _is_number(value) else value for name, value in values.items()}


def number(locale: Locale, value: float, digits: int = 0) -> str:
    """A number rounded to so many digits after the decimal sign; as it is where nobody could read it anyway."""
    if not readable(value):
        return f"{value:.3g}"
    return str(format_decimal(round(value, digits), locale=locale))


def readable(value: float) -> bool:
    """Whether a number can be written out: beyond 15 digits, what formats numbers gives up."""
    return abs(value) < 1e15


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _locale(language: str) -> Locale:
    return Locale(language)


def _read(path: Path) -> dict[str, Forms]:
    with path.open("rb") as file:
        catalogue = read_po(file)
    found: dict[str, Forms] = {}
    for message in catalogue:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            found[key] = tuple(
                map(str, message.string if isinstance(message.string, tuple | list) else [message.string])
            )
    return found
