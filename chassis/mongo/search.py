"""Search by the beginnings of words: documents hold the `terms` of their texts (`chassis.text.terms`)."""

from __future__ import annotations

from typing import Any

from chassis.text import terms

MAX_COUNTED = 10_000
"""Entries of a list beyond which nobody is told how many there are."""


def begin_with(query: str) -> list[dict[str, Any]]:
    """Conditions that all hold for documents that have a term for each word of the query; without a word, for none."""
    return [{"terms": {"$regex": f"^{word}"}} for word in terms(query)] or [{"_id": None}]
