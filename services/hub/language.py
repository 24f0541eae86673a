"""The interface's languages: one catalogue each (`i18n/<language>.toml`), dates and numbers by CLDR."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta, get_timezone
from babel.lists import format_list
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from markupsafe import Markup

LANGUAGES = ("en", "fr")
CATALOGUES = Path(__file__).parent / "i18n"
Text = str | dict[str, str]


@cache
def catalogue(language: str) -> dict[str, Text]:
    """Every text by its dotted key; a text that counts has its plural forms (`one`, `other`)."""
    with (CATALOGUES / f"{language}.toml").open("rb") as file:
        return dict(_flat(tomllib.load(file)))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Text]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, str) or set(value) <= {"one", "other", "many"}:
            yield key, value
        else:
            yield from _flat(value, f"{key}.")


def chosen(*wishes: str | None) -> str:
    """The first wish that is a language we have; wishes are language tags, or Accept-Language."""
    for wish in wishes:
        for tag in (wish or "").replace("_", "-").split(","):
            name = tag.partition(";")[0].strip().lower().partition("-")[0]
            if name in LANGUAGES:
                return name
    return LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Language:
    """How one person reads: texts, dates in their time zone, and numbers."""

    code: str
    country: str = ""
    zone: str = "UTC"

    @property
    def locale(self) -> Locale:
        return _locale(self.code, self.country)

    def text(self, key: str, /, **values: Any) -> Markup:
        """The text of a key, its `{placeholders}` filled in and escaped; `count` chooses the plural form.

        Raises KeyError for a key that is not in the catalogue.
        """
        found = catalogue(self.code)[key]
        if not isinstance(found, str):
            form = self.locale.plural_form(values["count"])
            found = found.get(form, found["other"])
        shown = {name: self.number(value) if _is_number(value) else value for name, value in values.items()}
        return Markup(found).format(**shown) if values else Markup(found)  # noqa: S704 - catalogues are ours

    def has(self, key: str) -> bool:
        return key in catalogue(self.code)

    def number(self, value: float, digits: int = 0) -> str:
        return str(format_decimal(round(value, digits), locale=self.locale))

    def compact(self, value: float) -> str:
        """As short as it can be read: 12,4 k."""
        if abs(value) < 10_000:
            return self.number(value)
        return str(format_compact_decimal(value, fraction_digits=1, locale=self.locale))

    def percent(self, value: float) -> str:
        return str(format_percent(round(value, 3), locale=self.locale, decimal_quantization=False))

    def money(self, amount: float, currency: str) -> str:
        pattern = self.locale.currency_formats["standard"].pattern
        if abs(amount) >= 100:
            return str(format_currency(round(amount), currency, pattern.replace(".00", ""), self.locale, False))
        return str(format_currency(amount, currency, locale=self.locale))

    def kpi(self, kpi: str, value: float) -> str:
        """The value of an objective's figure: a share for rates, a count otherwise."""
        return self.percent(value) if kpi == "participation_rate" else self.number(value)

    def day(self, value: str | date, style: str = "medium") -> str:
        day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return str(format_date(day, format=style, locale=self.locale))

    def moment(self, value: str | datetime) -> str:
        moment = as_moment(value)
        return str(format_datetime(moment, "medium", tzinfo=get_timezone(self.zone), locale=self.locale))

    def ago(self, value: str | datetime, now: datetime) -> str:
        """How long since; a date once it is more than a week."""
        moment = as_moment(value)
        gone = now - moment
        if gone > timedelta(days=7):
            return self.day(moment.astimezone(get_timezone(self.zone)).date())
        seconds = max(timedelta(seconds=1), gone)
        return str(format_timedelta(-seconds, add_direction=True, locale=self.locale, threshold=1.1))

    def listed(self, values: Iterable[str]) -> str:
        return str(format_list(list(values), locale=self.locale))

    def country_name(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))

    def language_name(self, code: str) -> str:
        return (self.locale.languages.get(code.partition("-")[0]) or code).capitalize()

    def pick(self, texts: Mapping[str, str]) -> str:
        """Of a text in several languages the one this person reads, or else any."""
        return texts.get(self.code) or texts.get("en") or next(iter(texts.values()), "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _locale(code: str, country: str) -> Locale:
    try:
        return Locale.parse(f"{code}_{country}") if country else Locale.parse(code)
    except (ValueError, UnknownLocaleError):
        return Locale.parse(code)


def as_moment(value: str | datetime) -> datetime:
    """RFC 3339 text as an aware moment."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
