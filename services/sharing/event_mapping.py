"""What happened here, as the events that others subscribe to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from herald_contracts import EngagementRecorded, PostRemoved, PostShared
from services.sharing.domain.posts import Post, PostReference


def _of(post: Post | PostReference) -> dict[str, Any]:
    return {
        "post_id": post.id,
        "ambassador_id": post.ambassador_id,
        "program_id": post.program_id,
        "content_id": post.content_id,
        "network": post.network,
    }


def post_shared(post: Post) -> PostShared:
    return PostShared(
        **_of(post),
        language=post.language,
        caption_id=post.caption_id,
        edited=post.edited,
        link_code=post.link_code,
        method=post.method,
        occurred_at=post.shared_at,
    )


def post_removed(post: Post, at: datetime) -> PostRemoved:
    return PostRemoved(**_of(post), reason=post.removed_reason or "ambassador", occurred_at=at)


def engagement_recorded(
    post: Post | PostReference, *, kind: str, quantity: int, verdict: str, measure: str, occurred_at: datetime
) -> EngagementRecorded:
    return EngagementRecorded.model_validate(
        {
            **_of(post),
            "kind": kind,
            "quantity": quantity,
            "verdict": verdict,
            "measure": measure,
            "occurred_at": occurred_at,
        }
    )
