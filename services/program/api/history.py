"""Routes of the history import: find people, and keep past memberships."""

from __future__ import annotations

from fastapi import Response

from chassis.external_rows import OutcomesView
from chassis.web.http import IdempotencyKey, Router, Unit
from services.program import queries
from services.program.api.base import Manages, Use
from services.program.commands import history
from services.program.schemas.history import MembershipRowsBody, NamedPeople, PeopleIds

router = Router(tags=["history"])


@router.post("/people/resolve", summary="Find people by address or external id", response_model=PeopleIds)
async def resolve_people(body: NamedPeople, _: Manages, context: Use) -> PeopleIds:
    """For imports from other systems: they pass on ids and nothing else of a person. People who left the company are
    found too."""
    return PeopleIds(people=await queries.people.resolve(context, body.people))


@router.post(
    "/programs/{program_id}/history/memberships",
    summary="Import memberships of the past",
    response_model=OutcomesView,
)
async def import_memberships(
    program_id: str,
    body: MembershipRowsBody,
    caller: Manages,
    context: Use,
    unit: Unit,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Each row is answered by itself; a row that was imported before changes nothing. Nobody becomes an ambassador by
    it: figures know who was one, and consent is asked anew."""
    rows = [one.row() for one in body.items]
    return await unit.run(
        lambda tx: history.import_memberships(context, tx, caller, program_id, body.source, rows, preview=body.preview),
        view=OutcomesView.of,
    )
