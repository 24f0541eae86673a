"""When nothing is pushed to somebody: at night and on their holidays, by their own clock and calendar.

A calendar is a country (ISO 3166-1 alpha-2, `FR`), or a part of one with holidays of its own (ISO 3166-2, `FR-57`).
What is known of holidays is the package `holidays`'; nothing is known of a calendar that it does not have, where no day
is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import holidays

from services.program.domain.people import Person

Reason = Literal["night", "holiday"]
MORNING: Final = time(8)
EVENING: Final = time(20)
MAX_DAYS: Final = 60
"""Longer than any run of holidays."""
SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Moment:
    """When something may be pushed, and why that is later than it was wanted; None where it is not."""

    at: datetime
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Holiday:
    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A person's time zone and calendar."""

    zone: str
    calendar: str


def zone_of(country: str, of_program: str, zones: Mapping[str, Sequence[str]]) -> str:
    """The time zone of somebody in a country: the programme's where that lies there too, else the country's first; the
    programme's where nothing is known of the country."""
    found = zones.get(country, ())
    return of_program if of_program in found or not found else found[0]


def clock_of(person: Person, of_program: str, zones: Mapping[str, Sequence[str]]) -> Clock:
    """As they chose it, or else as their country has it."""
    return Clock(person.time_zone or zone_of(person.country, of_program, zones), person.holidays or person.country)


def first_moment(at: datetime, clock: Clock) -> Moment:
    """The first moment from `at` on, in UTC, that is between `MORNING` and `EVENING` of a day that is no holiday."""
    zone = ZoneInfo(clock.zone)
    reason: Reason | None = None
    moment = at.astimezone(UTC)
    for _ in range(MAX_DAYS):
        local = moment.astimezone(zone)
        if holiday_on(clock.calendar, local.date()) is not None:
            reason = "holiday"
        elif MORNING <= local.time() < EVENING:
            return Moment(moment, reason)
        else:
            reason = reason or "night"
            if local.time() < MORNING:
                moment = _morning(local.date(), zone)
                continue
        moment = _morning(local.date() + timedelta(days=1), zone)
    return Moment(moment, reason)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def holiday_on(calendar: str, day: date, language: str = "en") -> str | None:
    """The name of the holiday, in that language where it is known in it, else in English or the country's; None where
    the day is none."""
    return _year(calendar, day.year, language).get(day)


def next_holidays(calendar: str, day: date, language: str) -> list[Holiday]:
    """The next `SHOWN` from a day on."""
    years = (_year(calendar, year, language) for year in (day.year, day.year + 1))
    found = [Holiday(one, name) for year in years for one, name in year.items() if one >= day]
    return sorted(found, key=lambda one: one.day)[:SHOWN]


def is_known(calendar: str) -> bool:
    """Whether holidays are known of it."""
    country, _, part = calendar.partition("-")
    known = countries()
    return country in known and (not part or part in known[country])


def parts_of(country: str) -> list[tuple[str, str]]:
    """The parts of a country with holidays of their own: their calendars, each with its name or else its code."""
    found = getattr(holidays.country_holidays(country), "subdivisions_aliases", {}) if country in countries() else {}
    names = {code: name for name, code in reversed(found.items())}
    return [(f"{country}-{part}", names.get(part, part)) for part in countries().get(country, ())]


@lru_cache(maxsize=1)
def countries() -> Mapping[str, Sequence[str]]:
    """The countries of which holidays are known, with their parts."""
    return {code: tuple(parts) for code, parts in holidays.list_supported_countries(include_aliases=False).items()}


@lru_cache(maxsize=1024)
def _year(calendar: str, year: int, language: str) -> Mapping[date, str]:
    if not is_known(calendar):
        return {}
    country, _, part = calendar.partition("-")
    plain = holidays.country_holidays(country)
    spoken = plain.supported_languages
    of = {one.partition("_")[0]: one for one in reversed(spoken)}
    wanted = of.get(language.partition("-")[0]) or of.get("en") or plain.default_language
    return dict(holidays.country_holidays(country, subdiv=part or None, years=year, language=wanted))
