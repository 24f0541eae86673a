"""Where a page of a list begins, and how long one of an export is."""

from __future__ import annotations

from typing import Any

from chassis.web.problems import ForeignCursor

EXPORT_PAGE = 500
"""Rows that an export reads at once."""


def texts_of(position: Any, count: int) -> list[str] | None:
    """The texts of a decoded cursor; None for the first page. Raises ForeignCursor."""
    if position is None:
        return None
    if not isinstance(position, list) or len(position) != count or not all(isinstance(one, str) for one in position):
        raise ForeignCursor
    return position
