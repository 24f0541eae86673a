"""What forms offer where the set is known: countries, teams and sites with how many people are there, languages, and
time zones, by their names in the person's language (CLDR)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from starlette.datastructures import FormData

from chassis.messages import LANGUAGES
from chassis.text import match_key
from services.hub.language import Language
from services.hub.paths import v1
from services.hub.view import Missing, View

Kind = Literal["countries", "teams", "sites"]
EVERYWHERE: Final = "*"
UNKNOWN: Final = "ZZ"
"""The country of who never said where they work."""
NO_COUNTRIES: Final = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ")
)
"""Territories of CLDR that ISO 3166-1 assigns no code."""
SPOKEN: Final = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "ga", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv",
    "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
"""Languages that are offered for what a company publishes."""


@dataclass(frozen=True, slots=True)
class Option:
    """One that can be chosen; `count` is how many people are there, None where that is not known."""

    value: str
    name: str
    count: int | None
    chosen: bool = False


def options(
    language: Language, kind: str, groups: Mapping[str, Any] | None, chosen: Iterable[str], counted: str
) -> list[Option]:
    """What a form offers: what is chosen first, whether anybody is there or not; then the others, by name.

    `groups` is what `program` knows of where people are, None where it does not answer; `counted` is `people` or
    `ambassadors`.
    """
    counts = {one["name"]: int(one[counted]) for one in (groups or {}).get(kind, ())}
    picked = list(dict.fromkeys(chosen))
    key_of = {match_key(name): name for name in counts}
    picked = [one if one in counts else key_of.get(match_key(one), one) for one in picked]
    missing = None if groups is None else 0

    def named(value: str) -> str:
        return language.country_name(value) if kind == "countries" else value

    found = [Option(one, named(one), counts.get(one, missing), chosen=True) for one in dict.fromkeys(picked)]
    others = [Option(one, named(one), count) for one, count in counts.items() if one not in picked]
    return found + sorted(others, key=lambda one: match_key(one.name))


async def offers(view: View, counted: str, **chosen: Iterable[str]) -> dict[str, list[Option]]:
    """`options` of each kind that is named, with what is chosen of it; `counted` is `people` or `ambassadors`."""
    program_id = view.program.id if view.program else None
    asked = view.apis.get("program", v1("people", "groups"), program_id=program_id)
    found = (await view.gather(groups=asked))["groups"]
    groups = None if isinstance(found, Missing) else found
    return {kind: options(view.language, kind, groups, some, counted) for kind, some in chosen.items()}


def chosen_of(form: FormData, name: str) -> list[str]:
    """What was ticked in a list of a form."""
    return list(dict.fromkeys(str(one).strip() for one in form.getlist(name) if str(one).strip()))


def countries(language: Language) -> Sequence[tuple[str, str]]:
    """Code and name of every country, by name."""
    return _countries(language.locale)


def country_code(language: Language, text: str) -> str:
    """The code of a country that was written by its code or its name; as it is where it is none."""
    wanted = text.strip()
    if wanted.upper() in language.locale.territories and len(wanted) == 2:
        return wanted.upper()
    return _by_name(language.locale).get(match_key(wanted), wanted)


def languages(language: Language) -> list[tuple[str, str]]:
    """Code and name of the languages in which one publishes, by name; those of the pages first."""
    named = [(code, language.language_name(code)) for code in SPOKEN]
    return sorted(named, key=lambda one: (one[0] not in LANGUAGES, match_key(one[1])))


def time_zones(language: Language) -> Sequence[tuple[str, str]]:
    """IANA name and the name of every time zone, by name."""
    return _zones(language.locale)


def local_zone(language: Language) -> str:
    """The first time zone of the person's country; UTC where that is not known."""
    return next(
        (zone for zone, country in get_global("zone_territories").items() if country == language.country), "UTC"
    )


@lru_cache(maxsize=64)
def _countries(locale: Locale) -> tuple[tuple[str, str], ...]:
    found = [(code, name) for code, name in locale.territories.items() if len(code) == 2 and code not in NO_COUNTRIES]
    return tuple(sorted(found, key=lambda one: match_key(one[1])))


@lru_cache(maxsize=64)
def _by_name(locale: Locale) -> dict[str, str]:
    """Codes by names in the person's language, and in those of the pages."""
    found: dict[str, str] = {}
    for one in (locale, *map(Locale.parse, LANGUAGES)):
        for country, name in (*_countries(one), (UNKNOWN, one.territories[UNKNOWN])):
            found.setdefault(match_key(name), country)
    return found


@lru_cache(maxsize=64)
def _zones(locale: Locale) -> tuple[tuple[str, str], ...]:
    known = zoneinfo.available_timezones()
    found = [("UTC", "UTC")]
    for zone, territory in get_global("zone_territories").items():
        if zone in known and len(territory) == 2 and territory not in NO_COUNTRIES:
            city = get_timezone_location(zone, locale=locale, return_city=True).rpartition("/")[2]
            found.append((zone, f"{locale.territories.get(territory, territory)} ({city})"))
    return tuple(sorted(found, key=lambda one: match_key(one[1])))
