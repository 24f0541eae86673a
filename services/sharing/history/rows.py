"""Rows of history as sharing takes them, and what becomes of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from chassis.ids import dated_id
from services.sharing.domain.posts import Post
from services.sharing.redirect.utm import target_url

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
IMPORTED: Final = "imported"
"""The `method` of posts and the `measure` of engagement that another product told of."""


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post as another product has it; `counts` is what it brought, by kind of engagement."""

    id: str
    ambassador_id: str
    content_id: str
    title: str
    url: str
    language: str
    network: str
    posted_at: datetime
    text: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """What a post (by its id in the other product) brought until a moment, since the row before."""

    id: str
    post: str
    counted_at: datetime
    counts: Mapping[str, int]


def post_of(row: PostRow, program_id: str, source: str, campaign: str) -> Post:
    """The post that a row becomes; the same row becomes the same post."""
    id = dated_id(row.posted_at, IMPORTED, program_id, source, row.id)
    code = hashlib.sha256(id.encode()).hexdigest()[:16]
    return Post(
        id=id,
        version=1,
        ambassador_id=row.ambassador_id,
        program_id=program_id,
        content_id=row.content_id,
        network=row.network,
        language=row.language,
        title=row.title,
        caption_id=None,
        caption=row.text,
        edited=bool(row.text),
        link_code=code,
        target=target_url(row.url, network=row.network, campaign=campaign, code=code),
        shared_at=row.posted_at,
        method=IMPORTED,
        clicks={"counted": row.counts["click"]} if "click" in row.counts else {},
        engagements={kind: number for kind, number in row.counts.items() if kind != "click"},
    )


def counters(counts: Mapping[str, int]) -> dict[str, int]:
    """The counters of a post that counts move, as `Posts.count` names them."""
    return {"clicks.counted" if kind == "click" else f"engagements.{kind}": number for kind, number in counts.items()}


def why_not(at: datetime, now: datetime) -> tuple[str, str] | None:
    """The rule that a moment of history breaks, and the sentence."""
    if at > now:
        return "future", "This has not happened yet."
    if at < EARLIEST:
        return "too-early", f"Not before {EARLIEST.date()}."
    return None
