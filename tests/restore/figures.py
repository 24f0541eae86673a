"""What must be equal before a loss and after it was healed, and what a checker may find of what is lost by nature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.fault.checker import Violation
from tests.fault.evidence import Evidence

FIGURES: Mapping[str, tuple[str, ...]] = {
    "metrics": ("facts", "totals", "person_days", "enrolments", "principals", "contents", "programs"),
    "gamification": ("ledger", "balances", "totals", "principals"),
    "content": ("principals",),
    "sharing": ("contents", "principals", "acknowledgements"),
}
OF_ONE_RUN = {"at", "booked_at", "updated_at", "waiting", "time", "received_at", "written_at"}
"""Fields that say when this database was written."""


def figures(evidence: Evidence, services: Iterable[str] = FIGURES) -> dict[str, dict[str, Any]]:
    """The documents that figures are read from, by collection, without the times of their writing."""
    return {
        f"{service}.{name}": {id: _told(row) for id, row in evidence.store(service, name).items()}
        for service in services
        for name in FIGURES[service]
    }


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Counters that are 0 need not be there: whether they are depends on what came in one batch."""
    return {
        name: _sorted(value)
        for name, value in row.items()
        if name not in OF_ONE_RUN and not name.endswith("_facts") and value != 0
    }


def _sorted(value: Any) -> Any:
    return sorted(value, key=repr) if isinstance(value, list) else value


def differences(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which documents differ, a line a collection."""
    found = []
    for name in before:
        one, other = before[name], after.get(name, {})
        ids = sorted(id for id in one.keys() | other.keys() if one.get(id) != other.get(id))
        if ids:
            first = ids[0]
            found.append(f"{len(ids)} of {len(one)} {name}, such as {first}: {one.get(first)} was {other.get(first)}")
    return found


def drafts(violations: Iterable[Violation]) -> set[Violation]:
    """Those of items that nobody but their author had seen: no event tells of them."""
    return {one for one in violations if one.promise == "I1" and "(n" in one.how and "is not stored" in one.how}
