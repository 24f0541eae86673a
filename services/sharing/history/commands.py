"""Taking history over: one transaction a request, state and events together."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from chassis import audit
from chassis.external_rows import ImportBatch, Outcome, Row
from chassis.ids import dated_id
from chassis.mongo import Transaction
from chassis.principals import Principal
from services.sharing import event_mapping
from services.sharing.context import Context
from services.sharing.domain.posts import Post, PostReference
from services.sharing.history.rows import IMPORTED, EngagementRow, PostRow, counters, post_of, why_not
from services.sharing.redirect.utm import campaign_of

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Row)


async def import_posts(
    context: Context,
    tx: Transaction,
    caller: Principal,
    program_id: str,
    source: str,
    rows: Sequence[PostRow],
    *,
    preview: bool,
) -> list[Outcome]:
    """Posts of the past with what they brought. Nobody gains a right by them. Raises NotFound for the programme."""
    program = await context.store.projections.program(program_id, tx)
    campaign = campaign_of(program["name"], program_id)
    batch = await context.external_rows.open("post", program_id, source, rows, tx)
    posts: list[tuple[Post, Mapping[str, int]]] = []
    for number, row in batch:
        wrong = why_not(row.posted_at, tx.now)
        if wrong is not None:
            batch.refuse(number, "posted_at", *wrong)
            continue
        post = post_of(row, program_id, source, campaign)
        batch.accept(number, post.id)
        posts.append((post, row.counts))
    if not preview:
        await context.store.posts.add_many([post for post, _ in posts], tx)
        for post, counts in posts:
            tx.emit(event_mapping.post_shared(post), id=dated_id(post.shared_at, "PostShared", post.id))
            _emit_counts(tx, post, counts, post.shared_at, post.id)
        await _keep(context, tx, "post", caller, batch)
    audit.record_import(tx, "import_posts", batch, preview=preview)
    return batch.outcomes


async def import_engagements(
    context: Context,
    tx: Transaction,
    caller: Principal,
    program_id: str,
    source: str,
    rows: Sequence[EngagementRow],
    *,
    preview: bool,
) -> list[Outcome]:
    """What imported posts brought later. Raises NotFound for the programme."""
    await context.store.projections.program(program_id, tx)
    batch = await context.external_rows.open("engagement", program_id, source, rows, tx)
    named = await context.external_rows.refs("post", program_id, source, {row.post for _, row in batch}, tx)
    posts = await context.store.posts.by_ids(named.values(), tx)
    moved: dict[str, Counter[str]] = defaultdict(Counter)
    for number, row in batch:
        post = posts.get(named.get(row.post, ""))
        wrong = why_not(row.counted_at, tx.now)
        if wrong is not None:
            batch.refuse(number, "counted_at", *wrong)
        elif post is None:
            batch.refuse(number, "post", "unknown", "No post was imported under this id.")
        elif row.counted_at < post.shared_at:
            batch.refuse(number, "counted_at", "order", "Before the post was made.")
        else:
            batch.accept(number, post.id)
            moved[post.id].update(counters(row.counts))
            if not preview:
                _emit_counts(tx, post, row.counts, row.counted_at, f"{program_id}|{source}|{row.id}")
    if not preview:
        await context.store.posts.count(moved, tx)
        await _keep(context, tx, "engagement", caller, batch)
    audit.record_import(tx, "import_engagements", batch, preview=preview)
    return batch.outcomes


def _emit_counts(
    tx: Transaction, post: Post | PostReference, counts: Mapping[str, int], at: datetime, row: str
) -> None:
    """Events named by the row: imported again after a restore, they are the same."""
    for kind, quantity in counts.items():
        if quantity:
            tx.emit(
                event_mapping.engagement_recorded(
                    post, kind=kind, quantity=quantity, verdict="counted", measure=IMPORTED, occurred_at=at
                ),
                id=dated_id(at, "EngagementRecorded", row, kind),
            )


async def _keep(context: Context, tx: Transaction, kind: str, caller: Principal, batch: ImportBatch[R]) -> None:
    await context.external_rows.keep(kind, batch, tx)
    logger.info(
        "history imported: %d of %d %s rows of %s into programme %s by %s",
        len(batch.refs),
        len(batch.rows),
        kind,
        batch.source,
        batch.scope,
        caller.id,
    )
