"""The content mix that a programme wants, against what was published in the last four weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Any, Final

from services.hub.clients import Json
from services.hub.language import as_moment
from services.hub.paths import v1
from services.hub.view import Missing, View

WEEKS: Final = 4
AT_ONCE, PAGES = 100, 3
"""How published items are read, the newest first: more than 300 in four weeks are not looked at."""


@dataclass(frozen=True, slots=True)
class Share:
    """A category: percent `wanted`, and how many of the items it has, which is a share of them (0 to 1). `missing` are
    items that bring it to what is wanted, with so many items in all."""

    category: str
    wanted: int
    count: int
    share: float
    missing: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What is wanted, most first, and then what was published although nobody wants it."""

    shares: Sequence[Share]
    total: int

    @property
    def missing(self) -> list[Share]:
        """What is missing, most first."""
        return sorted((one for one in self.shares if one.missing), key=lambda one: -one.missing)


def balance(wanted: Mapping[str, int], categories: Iterable[str]) -> Balance:
    """`wanted` has percent by category, `categories` that of each published item."""
    counts = Counter(categories)
    total = counts.total()
    order = sorted({*wanted, *counts}, key=lambda one: (-wanted.get(one, 0), -counts[one], one))
    shares = [
        Share(
            one,
            wanted.get(one, 0),
            counts[one],
            counts[one] / total if total else 0.0,
            max(0, floor(wanted.get(one, 0) * total / 100 + 0.5) - counts[one]),
        )
        for one in order
    ]
    return Balance(shares, total)


def published_since(items: Iterable[Json], since: datetime) -> list[Json]:
    return [one for one in items if one.get("published_at") and as_moment(one["published_at"]) >= since]


async def recent_items(view: View) -> list[Json]:
    """The items of the programme that were published in the last four weeks and still are."""
    wanted = {"program_id": view.require_program().id, "state": "published", "limit": AT_ONCE}
    found: list[Json] = []
    cursor: str | None = None
    for _ in range(PAGES):
        one = await view.apis.get("content", v1("items"), **wanted, cursor=cursor)
        found += one["items"]
        cursor = one["next"]
        if cursor is None:
            break
    return published_since(found, view.now - timedelta(weeks=WEEKS))


async def balance_of(view: View) -> Any:
    """The balance of the programme that the person looks at; None where it wants no mix. What cannot be had is
    Missing."""
    if view.program is None:
        return None
    path = v1("programs", view.program.id, "mix")
    found = await view.gather(mix=view.apis.get("program", path), items=recent_items(view))
    for one in found.values():
        if isinstance(one, Missing):
            return one
    if not found["mix"]["shares"]:
        return None
    return balance(found["mix"]["shares"], (one["category"] for one in found["items"]))
