"""Dates as feeds write them: right, or none at all."""

from __future__ import annotations

import re
from calendar import month_abbr, month_name
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Final
from unicodedata import combining, normalize

from babel import Locale

MAX_LENGTH: Final = 80

# fmt: off
_ZONES: Final = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2,
    "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "SAST": 2, "MSK": 3, "PKT": 5, "NPT": 5.75, "WIB": 7, "ICT": 7, "HKT": 8,
    "SGT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "NST": -3.5, "NDT": -2.5, "BRT": -3, "ART": -3, "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7,
    "PDT": -7, "PST": -8, "AKDT": -8, "AKST": -9, "HST": -10,
}
# fmt: on
"""UTC offsets in hours of zone names that have one meaning (in feeds, RFC 822's American ones do). Ambiguous names such
as IST (India, Ireland, Israel) are left out."""

_ISO: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt\s]\s*(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?\s*(.*)")
_NUMBERS: Final = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}),?(?:\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AaPp]\.?[Mm]\.?)?)?\s*(.*)"
)
_ENGLISH: Final = re.compile(
    r"(?:[A-Za-z]{2,9}[,.]?\s+)?(?:(?P<day>\d{1,2})[\s-]+(?P<month>[A-Za-z]{3,9})\.?|"
    r"(?P<month2>[A-Za-z]{3,9})\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?,?)"
    r"(?:[\s-]+(?P<year>\d{4}|\d\d)(?![\d:]))?,?"
    r"(?:\s+(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?\s*(?P<rest>.*)"
)
_YEAR_LAST: Final = re.compile(r"(.*?)\s*\b(\d{4})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES: Final = frozenset(month.lower() for month in (*month_name[1:], *month_abbr[1:], "sept"))
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d\d)?(?:\s*\([^)]*\))?", re.I)
_DAY: Final = r"(?P<day>\d{1,2})(?:er|re|º|ª|°|\.)?"
_MONTH: Final = r"(?P<month>[^\W\d_]{2,12})\.?"
_YEAR: Final = r"(?P<year>\d{4})(?!\d)"
_OF: Final = r"(?:de |del |d['’]|of )?"
_NAMED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\d){_DAY}[ -]{_OF}{_MONTH},?[ -]{_OF}{_YEAR}",
        rf"{_MONTH} {_DAY},? {_YEAR}",
        rf"{_YEAR}\.? {_MONTH} {_DAY}(?!\d)",
        r"(?P<year>\d{4}) ?[年년.] ?(?P<month>\d{1,2}) ?[月월.] ?(?P<day>\d{1,2}) ?[日일.]?(?!\d)",
    )
)
_CLOCK: Final = re.compile(r"\b(\d{1,2})(?:[:h.]|時|시 ?)(\d\d)(?:(?::|分|분 ?)(\d\d))?(?:分|분|秒|초| ?Uhr| ?h\b)?")
_ASIDE: Final = re.compile(r"[\s,.;|–-]*(?:(?:\w{1,6}|à|г|kl)\.?[\s,]+)?")
# fmt: off
_LANGUAGES: Final = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "es", "et", "fi", "fr", "he", "hr", "hu", "id", "is", "it", "lt", "lv",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk", "vi",
)
# fmt: on
"""Languages besides English whose months are known; in all of them the day goes before the month."""


class Dates:
    """Reads the dates of one feed. `languages` are its own, if it names them."""

    def __init__(self, languages: Iterable[str | None] = ()) -> None:
        named = (language.lower().partition("-")[0] for language in languages if language)
        self._languages = [one for one in dict.fromkeys(named) if re.fullmatch(r"[a-z]{2,3}", one)]
        self._known: dict[str, datetime | None] = {}

    def read(self, text: str | None) -> datetime | None:
        """The moment that a text names, in UTC where it names no zone; None if it is ambiguous."""
        text = " ".join((text or "").split())
        if not text or len(text) > MAX_LENGTH:
            return None
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]

    def _read(self, text: str) -> datetime | None:
        if (iso := _ISO.fullmatch(text)) is not None:
            *numbers, rest = iso.groups()
            return _moment([int(one or 0) for one in numbers], rest)
        if (numeric := _NUMBERS.fullmatch(text)) is not None:
            return self._numeric(numeric)
        english = _ENGLISH.fullmatch(text)
        if english is not None and (english["month"] or english["month2"]).lower() in _MONTH_NAMES:
            return _english(english)
        return self._named(text)

    def _numeric(self, found: re.Match[str]) -> datetime | None:
        """`31/12/2026` or `12/31/2026`; where both numbers could be the month, only if it is known which is."""
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        own = self._languages[0] if self._languages else ""
        day_first = found[2] == "." or first > 12 or first == second or own in _LANGUAGES
        if not day_first and second <= 12:
            return None
        day, month = (first, second) if day_first else (second, first)
        hour = _hour(int(found[5] or 0), found[8])
        return (
            None
            if hour is None
            else _moment([year, month, day, hour, int(found[6] or 0), int(found[7] or 0)], found[9])
        )

    def _named(self, text: str) -> datetime | None:
        """A date with the name of its month in some language: `15 mars 2026`, `Do, 5. Dez. 2026 10:00 MEZ`."""
        found = next((match for pattern in _NAMED if (match := pattern.search(text))), None)
        if found is None or re.search(r"\d", text[: found.start()]):
            return None
        month = int(found["month"]) if found["month"].isdecimal() else self._month(found["month"])
        if month is None:
            return None
        numbers = [int(found["year"]), month, int(found["day"])]
        rest = text[found.end() :]
        clock = _CLOCK.search(rest)
        if clock is None:
            return _moment([*numbers, 0, 0, 0], "") if not re.search(r"\d", rest) else None
        if not _ASIDE.fullmatch(rest[: clock.start()]):
            return None
        after = re.match(r" ?([AaPp]\.?[Mm]\.?)?(.*)", rest[clock.end() :])
        assert after is not None
        hour = _hour(int(clock[1]), after[1])
        return None if hour is None else _moment([*numbers, hour, int(clock[2]), int(clock[3] or 0)], after[2])

    def _month(self, word: str) -> int | None:
        """The month by its full or short name; None if the name is a different month in another language, such as
        `listopad`."""
        word = word.casefold()
        found = _months().get(word) or _beginning_with(word)
        own = {month for month, languages in found.items() if languages & set(self._languages)}
        months = own or set(found)
        return months.pop() if len(months) == 1 else None


@cache
def _months() -> dict[str, dict[int, frozenset[str]]]:
    """Names of months, with and without accents, with the month and the languages that use them."""
    names: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for language in _LANGUAGES:
        months = Locale.parse(language).months
        for use in ("format", "stand-alone"):
            for month, name in [*months[use]["wide"].items(), *months[use]["abbreviated"].items()]:
                written = name.casefold().rstrip(".")
                bare = "".join(sign for sign in normalize("NFD", written) if not combining(sign))
                for one in (written, bare):
                    names[one][month].add(language)
    return {word: {month: frozenset(found) for month, found in by.items()} for word, by in names.items()}


def _beginning_with(word: str) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for name, months in _months().items():
        if len(word) >= 3 and name.startswith(word):
            for month, languages in months.items():
                found[month] = found.get(month, frozenset()) | languages
    return found


def _english(found: re.Match[str]) -> datetime | None:
    """RFC 822 and its variants, what `date` and JavaScript write, `March 5, 2026`: with English names of months."""
    year, rest = found["year"], found["rest"]
    if year is None:
        last = _YEAR_LAST.fullmatch(rest)
        if last is None:
            return None
        rest, year = last[1], last[2]
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    month = _MONTHS.index((found["month"] or found["month2"]).lower()[:3]) + 1
    hour = _hour(int(found["hour"] or 0), found["half"])
    if hour is None:
        return None
    day, minute, second = int(found["day"] or found["day2"]), int(found["minute"] or 0), int(found["second"] or 0)
    return _moment([full, month, day, hour, minute, second], rest)


def _hour(hour: int, half: str | None) -> int | None:
    """The hour on the 24-hour clock; None if it is not an hour of the 12-hour clock."""
    if not half:
        return hour
    return hour % 12 + (12 if half[0] in "pP" else 0) if 1 <= hour <= 12 else None


def _moment(numbers: list[int], rest: str) -> datetime | None:
    zone = _zone(rest.strip())
    if zone is None:
        return None
    year, month, day, hour, minute, second = numbers
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(written: str) -> timezone | None:
    """UTC if the text is empty, None if it is not a zone or an ambiguous one."""
    if not written:
        return UTC
    offset = _OFFSET.fullmatch(written)
    if offset is not None:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if offset[3] is None and len(offset[2]) > 2:
            return None
        span = timedelta(hours=hours, minutes=minutes)
        if hours > 14 or minutes > 59:
            return None
        return timezone(span if offset[1] == "+" else -span)
    name = re.sub(r"\s*\([^)]*\)$", "", written).upper()
    hours_east = _ZONES.get(name)
    return timezone(timedelta(hours=hours_east)) if hours_east is not None else None
