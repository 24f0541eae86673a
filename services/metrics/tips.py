"""The tip of a week: from what was known when the week began, so that it stays the same all week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from chassis.days import week_of
from chassis.mongo import Document
from services.metrics.context import Context
from services.metrics.domain.periods import zone
from services.metrics.domain.tips import CLICKS_WITHIN, LOOKED_BACK, OwnPost, Tip, tip_of


@dataclass(frozen=True, slots=True)
class WeeklyTip:
    """`week` is its Monday, in the programme's time zone; `tip` is None where the posts say nothing."""

    program_id: str
    week: date
    tip: Tip | None


async def weekly_tip(context: Context, program: Document, person_id: str, now: datetime) -> WeeklyTip:
    """What a person's own posts tell them this week."""
    where = zone(program["time_zone"])
    week = week_of(now.astimezone(where).date())
    begun = datetime.combine(week, time.min, where)
    store = context.store
    shares = await store.own_shares(program["_id"], person_id, begun - LOOKED_BACK, begun - CLICKS_WITHIN)
    gone = await store.removed_before([row["post_id"] for row in shares], begun)
    shares = [row for row in shares if row["post_id"] not in gone]
    clicks = await store.clicks_after({row["post_id"]: row["at"] for row in shares}, CLICKS_WITHIN)
    kinds = await store.kinds({row["content_id"] for row in shares})
    posts = [
        OwnPost(row["network"], clicks.get(row["post_id"], 0), kinds.get(row["content_id"]), row.get("edited"))
        for row in shares
    ]
    return WeeklyTip(program["_id"], week, tip_of(posts))
