"""Lessons, of which events carry no text, and who completed them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.ids import derived_id
from chassis.mongo import Document
from chassis.mongo.rows import document
from chassis.recovery import Incomplete, Kept, is_missing
from herald_contracts import (
    LessonCompleted,
    LessonPublished,
    LessonRetired,
)
from services.program.domain.lessons import Completion
from services.program.recovery.shared import Database, is_merged


async def _lesson(_: Database, row: Document | None, events: Sequence[LessonPublished | LessonRetired]) -> Document:
    if row is None:
        raise Incomplete("write it again: events carry no text")
    for event in events:
        row = {**row, "updated_at": event.occurred_at}
        if isinstance(event, LessonRetired):
            row["state"] = "retired"
        else:
            # The number of an edition stands for its text: that of one whose text is lost is not given again.
            row["edition"] = max(row["edition"], event.edition)
            row["state"] = "published" if row.get("published") else row["state"]
    return row


async def _completion(db: Database, row: Document | None, events: Sequence[LessonCompleted]) -> Document | None:
    event = events[0]
    if row is None and await is_merged(db, event.person_id):
        return None
    found = Completion(
        _completion_id(event), event.program_id, event.person_id, event.lesson_id, event.edition, event.occurred_at
    )
    return row or document(found)


def _completion_id(event: LessonCompleted) -> str:
    return derived_id(event.lesson_id, event.person_id)


KEPT = (
    Kept("lesson", "lessons", (LessonPublished, LessonRetired), lambda event: str(event.lesson_id), _lesson),
    Kept("completed lesson", "completions", (LessonCompleted,), _completion_id, _completion, is_missing),
)
