"""What is kept of other services' events."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import (
    AdministrativeActRecorded,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    PostRemoved,
    PostShared,
)
from services.program.context import Context
from services.program.domain import first_posts
from services.program.domain.referrals import JobOffer

JOB_OFFER = "job_offer"


async def project_audit_trail(
    context: Context, tx: Transaction, batch: Sequence[Received[AdministrativeActRecorded]]
) -> None:
    """Add the acts of every service to the one trail."""
    await context.audit_trail.add([(event.id, event.data) for event in batch], tx)


async def project_job_offers(
    context: Context,
    tx: Transaction,
    batch: Sequence[Received[ContentPublished | ContentUpdated | ContentRetired]],
) -> None:
    """The job offers among the items, and whether they are open: the latest that is known of each."""
    await context.referrals.put_offers([_offer(event.data) for event in batch], tx)


async def project_removed_posts(context: Context, tx: Transaction, batch: Sequence[Received[PostRemoved]]) -> None:
    """What its author took back is no example any more."""
    await context.examples.delete_posts([(event.data.post_id, event.data.ambassador_id) for event in batch], tx)


def _offer(data: ContentPublished | ContentUpdated | ContentRetired) -> JobOffer:
    """An item as far as referrals go; whatever is no job offer is none that is open."""
    id, program_id, revision = data.content_id, data.program_id, data.revision
    if isinstance(data, ContentRetired) or data.kind != JOB_OFFER:
        return JobOffer(id, program_id, revision, titles={}, url="", open=False)
    titles = {one.language: one.title for one in data.variants}
    return JobOffer(id, program_id, revision, titles, data.url, open=data.shareable)


async def project_posts(context: Context, tx: Transaction, batch: Sequence[Received[PostShared | PostRemoved]]) -> None:
    """When each person shared for the first time; and what was prepared for somebody who shared it waits no more."""
    facts = [event.data for event in batch]
    found = await context.first_posts.get_many({(one.program_id, one.ambassador_id) for one in facts}, tx)
    for fact in facts:
        key = fact.program_id, fact.ambassador_id
        if isinstance(fact, PostRemoved):
            found[key] = first_posts.removed(found[key], fact.post_id)
        else:
            imported = fact.method == "imported"
            found[key] = first_posts.shared(found[key], fact.post_id, fact.occurred_at, imported=imported)
    await context.first_posts.put(found, tx)
    shared = [one for one in facts if isinstance(one, PostShared) and one.method != "imported"]
    items = {(one.program_id, one.ambassador_id, one.content_id) for one in shared}
    if items:
        await context.deputies.note_shared(items, tx.now, tx)
