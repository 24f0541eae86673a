"""Texts that people read: a gettext catalogue for each language of a package, `messages/<language>.po`.

The id of a message is a dotted key (`share.on`). Its text may hold `{placeholders}`. A message that counts something
has plural forms, and `count` chooses among them as the language does.

A company adds languages with catalogues of its own (`add_languages`). What one of them does not say is said in English,
sentence by sentence.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "fr")
"""Those that Herald speaks by itself; the first is what others fall back to."""
Forms = tuple[str, ...]
_COUNTED: Final = (*range(201), 1_000, 1_000_000)
"""Numbers by which the plural forms of a file are recognised: each form that a language has, one of them takes."""


class CatalogueError(ValueError):
    """A catalogue that cannot be used. Its text is for operators."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a file says. `plural` is its own rule, the form for a whole number; `categories` has CLDR's plural category
    of each form, for numbers that are not whole."""

    texts: Mapping[str, Forms]
    plural: Callable[[int], int] = field(default=lambda count: int(count != 1))
    categories: tuple[str, ...] = ("one", "other")
    fuzzy: frozenset[str] = frozenset()
    """Messages that their translator marked as not sure."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """What a template said of each message: the English that was translated."""

    def form(self, locale: Locale, key: str, count: float) -> str:
        """The form of a message for a number."""
        forms = self.texts[key]
        if len(forms) == 1:
            return forms[0]
        if count == int(count):
            return forms[self.plural(abs(int(count)))]
        category = locale.plural_form(count)
        known = category if category in self.categories else "other"
        return forms[self.categories.index(known) if known in self.categories else -1]


_ADDED: Final[dict[str, Catalogue]] = {}


def add_languages(folder: Path | None) -> None:
    """Speak the languages of the catalogues in a folder too, `<language>.po` each; None for none. Those of `LANGUAGES`
    are left alone. Raises CatalogueError."""
    _ADDED.clear()
    if folder is None:
        return
    if not folder.is_dir():
        raise CatalogueError(f"{folder} is no directory")
    for path in sorted(folder.glob("*.po")):
        if path.stem not in LANGUAGES:
            _ADDED[path.stem] = read_catalogue(path)


def languages() -> tuple[str, ...]:
    """All languages that can be chosen."""
    return (*LANGUAGES, *_ADDED)


class Messages:
    """The catalogues in one folder; each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._catalogues: dict[str, tuple[Catalogue | None, Catalogue]] = {}

    def catalogue(self, language: str) -> Mapping[str, Forms]:
        """Every text that is there in a language, by its key: one form, or one for each plural."""
        return self._catalogue(language).texts

    def has(self, language: str, key: str) -> bool:
        """Whether there is a text, in that language or in English instead."""
        return key in self._catalogue(language).texts or key in self._catalogue(LANGUAGES[0]).texts

    def spoken(self, locale: Locale, key: str) -> Locale:
        """The locale in which a text is there: the wanted one, or else English."""
        return locale if key in self._catalogue(locale.language).texts else _locale(LANGUAGES[0])

    def template(self, locale: Locale, key: str, count: float | None = None) -> str:
        """The text with its placeholders. Raises KeyError for a key that is not in the catalogue."""
        spoken = self.spoken(locale, key)
        return self._catalogue(spoken.language).form(spoken, key, count or 0)

    def text(self, language: str, key: str, **values: Any) -> str:
        """The text with its placeholders filled in; numbers as the language writes them. Raises KeyError."""
        locale = self.spoken(_locale(supported(language)), key)
        return self.template(locale, key, values.get("count")).format(**shown(locale, values))

    def _catalogue(self, language: str) -> Catalogue:
        added = _ADDED.get(language)
        known = self._catalogues.get(language)
        if known is None or known[0] is not added:
            found = self._own(added) if added else read_catalogue(self._folder / f"{language}.po")
            known = self._catalogues[language] = added, found
        return known[1]

    def _own(self, added: Catalogue) -> Catalogue:
        """What a company's catalogue has of this folder's messages, as far as it can be used."""
        english = self.catalogue(LANGUAGES[0])
        texts = {key: added.texts[key] for key in english.keys() & added.texts if is_usable(added, key, english[key])}
        return Catalogue(texts, added.plural, added.categories)


def is_usable(catalogue: Catalogue, key: str, english: Forms) -> bool:
    """Whether a translation says all of a message, with the same placeholders and a form for each plural."""
    forms = catalogue.texts[key]
    whole = len(forms) == (1 if len(english) == 1 else len(catalogue.categories))
    if not whole or key in catalogue.fuzzy or not all(one.strip() for one in forms):
        return False
    return placeholders(forms) == placeholders(english)


def placeholders(forms: Iterable[str]) -> set[str] | None:
    """The names in braces; None where the braces are not in order."""
    try:
        return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name is not None}
    except ValueError:
        return None


def supported(*wishes: str | None) -> str:
    """The first wish that can be chosen; wishes are language tags, or values of Accept-Language."""
    known = languages()
    for wish in wishes:
        for tag in (wish or "").replace("_", "-").split(","):
            name = tag.partition(";")[0].strip().lower().partition("-")[0]
            if name in known:
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


def read_catalogue(path: Path) -> Catalogue:
    """What a file says. Raises CatalogueError."""
    try:
        locale = Locale.parse(path.stem)
        with path.open("rb") as file:
            found = read_po(file, locale=locale, abort_invalid=True)
        plural = c2py(found.plural_expr)
        taken: dict[int, str] = {}
        for one in _COUNTED:
            taken.setdefault(plural(one), locale.plural_form(one))
        if max(taken) >= found.num_plurals:
            raise ValueError("Plural-Forms chooses a form that it does not count")
    except (OSError, PoFileError, UnknownLocaleError, ValueError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    texts, fuzzy, comments = {}, set(), {}
    for message in found:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            forms = message.string if isinstance(message.string, tuple | list) else [message.string]
            texts[key] = tuple(map(str, forms))
            if message.fuzzy:
                fuzzy.add(key)
            if message.auto_comments:
                comments[key] = " ".join(message.auto_comments)
    categories = tuple(taken.get(index, "other") for index in range(found.num_plurals))
    return Catalogue(texts, plural, categories, frozenset(fuzzy), comments)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _locale(language: str) -> Locale:
    return Locale(language)
