"""Memberships of the past: one transaction a request, state and events together."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from chassis import audit
from chassis.external_rows import Outcome
from chassis.ids import dated_id
from chassis.mongo import Transaction
from chassis.principals import Principal
from services.program import event_mapping
from services.program.context import Context
from services.program.domain.history import MembershipRow, NotPast, PastMembership, end_of, overlaps

logger = logging.getLogger(__name__)
KIND = "membership"


async def import_memberships(
    context: Context,
    tx: Transaction,
    caller: Principal,
    program_id: str,
    source: str,
    rows: Sequence[MembershipRow],
    *,
    preview: bool,
) -> list[Outcome]:
    """Imports memberships that are over. They enrol nobody and change nobody's membership here. Raises NotFound."""
    await context.programs.get(program_id, tx)
    batch = await context.external_rows.open(KIND, program_id, source, rows, tx)
    ids = {row.person_id for _, row in batch}
    people = {one.id: one for one in await context.people.get_many(ids, tx)}
    past: dict[str, list[PastMembership]] = defaultdict(list)
    for one in await context.history.of_people(program_id, ids, tx):
        past[one.person_id].append(one)
    fresh: list[PastMembership] = []
    for number, row in batch:
        person = people.get(row.person_id)
        if person is None:
            batch.refuse(number, "person_id", "unknown", "There is no such person.")
            continue
        try:
            left_at = end_of(row, person.membership(program_id), tx.now)
        except NotPast as wrong:
            batch.refuse(number, wrong.field, wrong.rule, wrong.detail)
            continue
        if overlaps(row.joined_at, left_at, past[person.id]):
            batch.refuse(number, "joined_at", "overlaps", "Another membership of this person covers that time.")
            continue
        id = dated_id(row.joined_at, "membership", program_id, source, row.id)
        kept = PastMembership(id, person.id, program_id, row.joined_at, left_at, source)
        past[person.id].append(kept)
        fresh.append(kept)
        batch.accept(number, id)
    if not preview:
        await context.history.add(fresh, tx)
        for kept in fresh:
            for event in event_mapping.past_membership(kept):
                tx.emit(event)
        await context.external_rows.keep(KIND, batch, tx)
        logger.info(
            "history imported: %d of %d memberships of %s into programme %s by %s",
            len(fresh),
            len(rows),
            source,
            program_id,
            caller.id,
        )
    audit.record_import(tx, "import_memberships", batch, preview=preview)
    return batch.outcomes
