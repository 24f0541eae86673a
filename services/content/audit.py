"""What the audit trail tells of the things of this service."""

from __future__ import annotations

from chassis.audit import Audited
from services.content.domain.items import Item
from services.content.domain.sources import Source

ITEM = Audited(
    "item",
    Item,
    shown=("state", "copy", "author_id", "reviewer_id", "published_at", "retired_at", "retire_reason"),
    withheld=("comment",),
    left_out=("id", "program_id", "version", "created_at", "updated_at", "origin", "source_id", "entry", "dated_at"),
)
FEED = Audited(
    "feed",
    Source,
    shown=("url", "title", "language", "rule", "category", "last", "paused_at"),
    left_out=(
        "id",
        "program_id",
        "author_id",
        "created_at",
        "version",
        "etag",
        "last_modified",
        "failures",
        "next_poll_at",
    ),
)
