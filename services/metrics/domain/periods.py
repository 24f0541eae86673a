"""Days and periods in a programme's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_DAYS = 1096


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_of(moment: datetime, time_zone: str) -> str:
    """The day (ISO 8601) on which a moment falls in the time zone."""
    return moment.astimezone(zone(time_zone)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """The period of the same length that ends the day before this one."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def bounds(self, time_zone: str) -> tuple[datetime, datetime]:
        """The first moment of it, and the first moment after it, in UTC."""
        start = datetime.combine(self.first, time.min, zone(time_zone))
        end = datetime.combine(self.last + timedelta(days=1), time.min, zone(time_zone))
        return start.astimezone(UTC), end.astimezone(UTC)

    def __iter__(self) -> Iterator[str]:
        return ((self.first + timedelta(days=number)).isoformat() for number in range(self.days))


def last_days(today: date, days: int) -> Period:
    return Period(today - timedelta(days=days - 1), today)
