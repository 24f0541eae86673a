"""Validates a person's attributes, wherever they come from: a file, a token, a form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pycountry
from babel import Locale

from chassis.text import match_key, name, names_something

UNKNOWN_COUNTRY = "ZZ"
"""CLDR's code for "unknown region": a person who signed in before anyone said where they work."""

UNKNOWN_TEAM = "unassigned"

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
"""ISO 3166-1 alpha-2, officially assigned."""

LANGUAGES = frozenset(str(code) for code in Locale("en").languages)
"""Language subtags that CLDR knows."""

MAX_TEXT = 200
MAX_EMAIL = 254
MAX_EXTERNAL_ID = 128

# The grammar of HTML's <input type=email> (WHATWG), with at least one dot in the host.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_LOCALE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")
_YES = frozenset({"1", "true", "yes", "y", "oui", "o", "vrai", "ja", "j", "wahr", "x", "✓", "✔"})
_NO = frozenset({"", "0", "false", "no", "n", "non", "faux", "nein", "falsch", "-"})


class FieldError(ValueError):
    """A value breaks a rule: a stable word with its parameters; `detail` is an English sentence that does not repeat
    the value."""

    def __init__(self, rule: str, detail: str, **params: Any) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail
        self.params = params


def text(value: str, maximum: int = MAX_TEXT) -> str:
    """One line with a letter, a digit or a symbol, cleaned (`chassis.text.name`). Raises FieldError."""
    value = name(value)
    if not names_something(value):
        raise FieldError("required", "A value is needed.")
    if len(value) > maximum:
        raise FieldError("too-long", f"At most {maximum} characters.", max=maximum)
    return value


def email(value: str) -> str:
    """An address in lower case; it identifies a person. Raises FieldError."""
    value = text(value, MAX_EMAIL).lower()
    if not _EMAIL.fullmatch(value):
        raise FieldError("email", "This is not an e-mail address such as name@example.com.")
    return value


def country(value: str) -> str:
    """An ISO 3166-1 alpha-2 code, from that code, the alpha-3 code, `UK`, or the country's name in English, French or
    German. Raises FieldError."""
    value = text(value)
    code = value.upper()
    if code in COUNTRIES:
        return code
    found = _countries().get(match_key(value))
    if found is None:
        raise FieldError("country", "Two letters of ISO 3166-1 are needed, such as FR or DE.")
    return found


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Alpha-2 codes by alpha-3 code and by name."""
    found = {"uk": "GB"} | {match_key(one.alpha_3): one.alpha_2 for one in pycountry.countries}
    for language in ("en", "fr", "de"):
        for code, called in Locale(language).territories.items():
            if code in COUNTRIES:
                found.setdefault(match_key(called), code)
    return found


def locale(value: str) -> str:
    """A BCP 47 tag in canonical case (`fr`, `fr-CA`), from a tag, `fr_CA`, or the language's name in English, French or
    German. Raises FieldError."""
    value = name(value)
    if not value:
        raise FieldError("required", "A value is needed.")
    tag = _languages().get(match_key(value), value)
    found = _LOCALE.fullmatch(tag.replace("_", "-").lower())
    if found is None or found[1] not in LANGUAGES:
        raise FieldError("locale", "A language tag is needed, such as fr or en-GB.")
    language, script, region = found.groups()
    return "-".join(part for part in (language, script and script.title(), region and region.upper()) if part)


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    """Tags by the names of the languages."""
    found: dict[str, str] = {}
    for language in ("en", "fr", "de"):
        for code, called in Locale(language).languages.items():
            found.setdefault(match_key(called), str(code))
    return {called: code for called, code in found.items() if called not in LANGUAGES}


def boolean(value: str) -> bool:
    """A boolean, from the words of people and spreadsheets in English, French or German; empty is false. Raises
    FieldError."""
    value = name(value).lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    raise FieldError("boolean", "Write yes or no.")
