"""How a person reads: texts of the hub's catalogues (`messages/<language>.po`), dates and numbers by CLDR."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_timezone_location
from babel.lists import format_list
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_decimal_symbol,
    get_group_symbol,
)
from markupsafe import Markup

from chassis.messages import LANGUAGES, Messages, number, readable, shown
from services.hub.spoken import BEGIN, END
from services.hub.times import local

_SPACES = re.compile(r"[\s\u00a0\u202f'’]")
RATE_KPIS = frozenset(("participation_rate", "leader_participation"))
"""Figures of objectives that are a share of something."""
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+)")
MESSAGES = Messages(Path(__file__).parent / "messages")


@dataclass(frozen=True, slots=True)
class Language:
    """How one person reads: texts, dates, and numbers."""

    code: str
    country: str = ""
    zone: str = "UTC"
    """In which days are counted."""
    own_zone: str = ""
    """In which moments are shown, and clock times are written; empty for that of days."""

    @property
    def locale(self) -> Locale:
        return _locale(self.code, self.country)

    def text(self, key: str, /, **values: Any) -> Markup:
        """The text of a key, its `{placeholders}` filled in and escaped; `count` chooses the plural form.

        Raises KeyError for a key that is not in the catalogue.
        """
        spoken = MESSAGES.spoken(self.locale, key)
        found = Markup(MESSAGES.template(spoken, key, values.get("count")))  # noqa: S704 - catalogues are ours
        return found.format(**shown(spoken, values)) if values else found

    def page_text(self, key: str, /, **values: Any) -> Markup:
        """The text for a page: between marks where it is English on a page of another language (`spoken`)."""
        found = self.text(key, **values)
        if self.code in LANGUAGES or MESSAGES.spoken(self.locale, key) == self.locale:
            return found
        return Markup("{}{}{}").format(BEGIN, found, END)

    def page_word(self, group: str, value: str) -> Markup:
        """The text of an open word for a page, marked as `page_text` does."""
        key = f"{group}.{value}"
        return self.page_text(key) if self.has(key) else self.word(group, value)

    @property
    def of_herald(self) -> str:
        """The language, or else the nearest that Herald speaks by itself: for what is said nowhere else."""
        return self.code if self.code in LANGUAGES else LANGUAGES[0]

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return _direction(self.code)

    def word(self, group: str, value: str) -> Markup:
        """The text of an open word (a network, a kind, ...), or else the word itself: services may be newer."""
        key = f"{group}.{value}"
        return self.text(key) if self.has(key) else Markup.escape(value.replace("_", " "))

    def on(self, network: str) -> Markup:
        """Where something is shared: `sur LinkedIn`, `par e-mail`."""
        key = f"on.{network}"
        return self.text(key) if self.has(key) else self.text("on.other", network=self.word("network", network))

    def choices(self, known: Iterable[str], chosen: str | None) -> list[str]:
        """What a form offers: what is known, and what is chosen although it is not, so that saving keeps it."""
        offered = list(known)
        return [*offered, chosen] if chosen and chosen not in offered else offered

    def has(self, key: str) -> bool:
        return MESSAGES.has(self.code, key)

    def number(self, value: float, digits: int = 0) -> str:
        return number(self.locale, value, digits)

    def compact(self, value: float) -> str:
        """As short as it can be read: 12,4 k."""
        if abs(value) < 10_000 or not readable(value):
            return self.number(value)
        return str(format_compact_decimal(value, fraction_digits=1, locale=self.locale))

    def percent(self, value: float) -> str:
        if not readable(value):
            return f"{self.number(value)} %"
        return str(format_percent(round(value, 3), locale=self.locale, decimal_quantization=False))

    def money(self, amount: float, currency: str) -> str:
        if not readable(amount):
            return f"{self.number(amount)} {currency}"
        pattern = self.locale.currency_formats["standard"].pattern
        if abs(amount) >= 100:
            return str(format_currency(round(amount), currency, pattern.replace(".00", ""), self.locale, False))
        return str(format_currency(amount, currency, locale=self.locale))

    def entry(self, value: float | str) -> str:
        """A number as one would type it into a form: no grouping, no decimals that say nothing; a text as it is."""
        if isinstance(value, str) or not readable(value):
            return str(value)
        return str(format_decimal(value, format="0.######", locale=self.locale))

    def read_number(self, text: str) -> float | None:
        """The number that somebody typed as their language writes it (`1 200,5`; `1,200.5`), or in another way that can
        mean nothing else; None where it is none."""
        plain = _SPACES.sub("", text)
        decimal, group = get_decimal_symbol(self.locale), get_group_symbol(self.locale)
        if "," in plain and "." in plain:
            decimal, group = (",", ".") if plain.rindex(",") > plain.rindex(".") else (".", ",")
        if re.fullmatch(rf"-?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(decimal)}\d*)?", plain):
            plain = plain.replace(group, "")
        plain = plain.replace(decimal, ".", 1) if decimal != "." and "." not in plain else plain
        return float(plain) if _NUMBER.fullmatch(plain) else None

    def kpi(self, kpi: str, value: float) -> str:
        """The value of an objective's figure: a share for rates, a count otherwise."""
        return self.percent(value) if kpi in RATE_KPIS else self.number(value)

    def kpi_entry(self, kpi: str | None, value: float | str) -> str:
        """The value as one types it: a rate in percent."""
        is_rate = kpi in RATE_KPIS and not isinstance(value, str)
        return self.entry(value * 100 if is_rate else value)

    def day(self, value: str | date, style: str = "medium") -> str:
        """The day; what is stored and is none stays as it is."""
        try:
            day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        except ValueError:
            return str(value)
        return str(format_date(day, format=style, locale=self.locale))

    def month(self, day: date) -> str:
        """The month of a day, with its year."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    @property
    def clock(self) -> str:
        """The time zone of moments."""
        return self.own_zone or self.zone

    @property
    def zone_name(self) -> str:
        """The time zone of days by the name of its city: "Paris"; "UTC"."""
        return self.zone_city(self.zone)

    @property
    def clock_name(self) -> str:
        """The time zone of moments by the name of its city."""
        return self.zone_city(self.clock)

    def zone_city(self, zone: str) -> str:
        """A time zone by the name of its city."""
        return str(get_timezone_location(known_zone(zone), locale=self.locale, return_city=True))

    def moment(self, value: str | datetime) -> str:
        """The moment, with its time zone; what is stored and is none stays as it is."""
        try:
            at = as_moment(value)
            shown = self._date_and_time(at.astimezone(known_zone(self.clock)))
        except (ValueError, OverflowError):
            return str(value)
        return f"{shown} ({self.clock_name})"

    def minute(self, value: str | datetime) -> str:
        """The moment to the minute, for pages where nobody looks for seconds."""
        try:
            return self.moment(as_moment(value).replace(second=0, microsecond=0))
        except ValueError:
            return str(value)

    def _date_and_time(self, at: datetime) -> str:
        """Seconds only where there are any."""
        time = format_time(at, "medium" if at.second else "short", locale=self.locale)
        joined = str(self.locale.datetime_formats["medium"])
        return joined.replace("{0}", time).replace("{1}", format_date(at, "medium", locale=self.locale))

    def local(self, value: str | datetime) -> str:
        """The moment as an input of the type `datetime-local` has it; "" for what is stored and is none."""
        try:
            return local(as_moment(value), known_zone(self.clock))
        except (ValueError, OverflowError):
            return ""

    def ago(self, value: str | datetime, now: datetime) -> Markup:
        """How long since, and on a closer look when that was. What is stored and is no moment stays as it is."""
        text, moment = self._ago(value, now), self.moment(value)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(value, moment, text)

    def _ago(self, value: str | datetime, now: datetime) -> str:
        """How long since; a date once it is more than a week."""
        try:
            moment = as_moment(value)
            gone = now - moment
            if gone > timedelta(days=7):
                return self.day(moment.astimezone(known_zone(self.clock)).date())
        except (ValueError, OverflowError):
            return str(value)
        seconds = max(timedelta(seconds=1), gone)
        return str(format_timedelta(-seconds, add_direction=True, locale=self.locale, threshold=1))

    def listed(self, values: Iterable[str]) -> str:
        return str(format_list(list(values), locale=self.locale))

    def of(self, code: str | None) -> Markup:
        """The attributes of an element whose text is in some language: none of them says what the page says already."""
        if not code:
            return Markup('dir="auto"')
        base = code.partition("-")[0].lower()
        if base == self.code:
            return Markup("")
        return Markup('lang="{}" dir="{}"').format(code, _direction(base))

    def marked(self, text: str, code: str | None) -> Markup:
        """Words in some language, for a sentence of the page's."""
        return Markup("<bdi {}>{}</bdi>").format(self.of(code), text)

    def country_name(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))

    def language_name(self, code: str) -> str:
        """A language by its name, with the region or the script of one that has it: two of one language differ."""
        base, _, part = code.partition("-")
        name = (self.locale.languages.get(base) or base).capitalize()
        where = self.locale.territories.get(part.upper()) or self.locale.scripts.get(part.title()) or part
        return f"{name} ({where})" if where else name

    def language_entry(self, code: str) -> str:
        """A language as one types it: its name, or the code of one that is written as a region does."""
        return self.language_name(code) if code and "-" not in code else code

    def pick(self, texts: Mapping[str, str]) -> str:
        """Of a text in several languages the one this person reads, or else any."""
        return texts.get(self.code) or texts.get("en") or next(iter(texts.values()), "")


@lru_cache(maxsize=512)
def known_zone(name: str) -> ZoneInfo:
    """The IANA time zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=64)
def own_name(code: str) -> str:
    """A language by the name that it has for itself: "Français", "Deutsch"."""
    locale = Locale.parse(code)
    return str(locale.get_display_name(locale) or code).capitalize()


@lru_cache(maxsize=512)
def _direction(language: str) -> str:
    try:
        return str(Locale.parse(language).text_direction)
    except (ValueError, UnknownLocaleError):
        return "ltr"


@lru_cache(maxsize=512)
def _locale(code: str, country: str) -> Locale:
    try:
        return Locale.parse(f"{code}_{country}") if country else Locale.parse(code)
    except (ValueError, UnknownLocaleError):
        return Locale.parse(code)


def as_moment(value: str | datetime) -> datetime:
    """RFC 3339 text as an aware moment."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
