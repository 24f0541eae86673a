"""Moments as they come in requests: RFC 3339, with an offset, and nothing that merely could be read as one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from herald_contracts.base import in_utc

_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$", re.IGNORECASE | re.ASCII)


def _rfc3339(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise PydanticCustomError("rfc3339", "A time by RFC 3339 is needed, such as 2026-03-02T09:14:31Z.")
    return value


Moment = Annotated[
    datetime, BeforeValidator(_rfc3339), AfterValidator(in_utc), Field(description="RFC 3339, with offset")
]
"""A time in a request, in UTC. Violates `rfc3339`."""
