"""Search by the beginnings of words: documents hold the `terms` of their texts (`chassis.text.terms`)."""

from __future__ import annotations

from typing import Any

from chassis.text import terms


def begin_with(query: str) -> list[dict[str, Any]]:
    """Conditions that all hold for documents that have a term for each word of the query; without a word, for none."""
    return [{"terms": {"$regex": f"^{word}"}} for word in terms(query)] or [{"_id": None}]
