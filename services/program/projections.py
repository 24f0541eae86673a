"""What is kept of other services' events."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import AdministrativeActRecorded, ContentPublished, ContentRetired, ContentUpdated
from services.program.context import Context
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


def _offer(data: ContentPublished | ContentUpdated | ContentRetired) -> JobOffer:
    """An item as far as referrals go; whatever is no job offer is none that is open."""
    id, program_id, revision = data.content_id, data.program_id, data.revision
    if isinstance(data, ContentRetired) or data.kind != JOB_OFFER:
        return JobOffer(id, program_id, revision, titles={}, url="", open=False)
    titles = {one.language: one.title for one in data.variants}
    return JobOffer(id, program_id, revision, titles, data.url, open=data.shareable)
