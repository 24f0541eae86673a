"""The numbers of rules, lifted after a restore past those that `herald.recognition` tells of.

Entries of the ledger need nothing: the consumer reads again what earned them, and books the same entries in events of
the same ids, by the rules that are there then.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document
from chassis.recovery import Incomplete, Kept
from herald_contracts import PointsAwarded


async def _rules(_: AsyncDatabase[Document], row: Document | None, events: Sequence[PointsAwarded]) -> Document:
    if row is None or not row.get("rule_sets"):
        raise Incomplete("its rules are the default ones: write them again")
    last, version = row["rule_sets"][-1], max(event.rule_version for event in events)
    # The rules as they were restored, under the last number that anybody saw: the next change gets one of its own.
    return {**row, "version": version, "rule_sets": [*row["rule_sets"], {**last, "version": version}]}


def _lacks(row: Document | None, event: PointsAwarded) -> bool:
    return bool(event.rule_version > (row or {}).get("version", 1))


KEPT = (Kept("rules", "programs", (PointsAwarded,), lambda event: str(event.program_id), _rules, _lacks),)
