"""What several subjects ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document

Database = AsyncDatabase[Document]


async def is_merged(db: Database, person_id: str) -> bool:
    """Whether somebody became another one, who has what was theirs."""
    return await db["people"].find_one({"_id": person_id, "merged_into": {"$type": "string"}}, {"_id": 1}) is not None


def membership_in(row: Document, program_id: str) -> Document:
    """The row's membership of the programme; empty where there is none."""
    memberships: Sequence[Document] = row.get("memberships", ())
    return next((one for one in memberships if one["program_id"] == program_id), {})


def is_before(stored: datetime, told: datetime) -> bool:
    """MongoDB keeps milliseconds."""
    return int(stored.timestamp() * 1000) < int(told.timestamp() * 1000)
