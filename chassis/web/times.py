"""Moments and days as they come in requests, by RFC 3339: nothing that merely could be read as one, as a number can."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from chassis.rules import broken
from herald_contracts.base import in_utc

_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$", re.IGNORECASE | re.ASCII)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _rfc3339(value: object) -> datetime:
    try:
        if isinstance(value, datetime):
            return in_utc(value)
        if isinstance(value, str) and _MOMENT.match(value):
            return in_utc(datetime.fromisoformat(value.upper()))
    except ValueError:
        pass
    raise broken("rfc3339", "A time by RFC 3339 is needed, such as 2026-03-02T09:14:31Z.")


def _day(value: object) -> date:
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise broken("day", "A day is needed, such as 2026-03-02.")


Moment = Annotated[datetime, BeforeValidator(_rfc3339), Field(description="RFC 3339, with offset")]
"""A time in a request, in UTC. Violates `rfc3339`."""
Day = Annotated[date, BeforeValidator(_day)]
"""A day in a request. Violates `day`."""
