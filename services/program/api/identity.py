"""The visual identity of a programme, beside its guidelines."""

from __future__ import annotations

from fastapi import Response

from chassis.mongo import Transaction
from chassis.web.http import IfMatch, Router, Unit, etag
from services.program import queries
from services.program.api.base import Language, Manager, ProgramReader, Use
from services.program.commands import identity
from services.program.domain.identity import Identity
from services.program.queries.identity import Shown
from services.program.schemas.identity import IdentityBody, IdentityView

router = Router(prefix="/programs/{program_id}/identity", tags=["identity"])


@router.get("", summary="The visual identity", response_model=IdentityView)
async def get_identity(
    program_id: str, _: ProgramReader, context: Use, response: Response, language: Language = None
) -> IdentityView:
    """Colours, logos and pictures to take, and what not to do, in the reader's language; with the ETag that changing it
    asks for. Version 1 is that of a programme that was given none."""
    found, shown = await queries.identity.identity(context, program_id, language)
    response.headers.update(etag(found.version))
    return IdentityView.of(found, shown)


@router.put("", summary="Set the visual identity", response_model=IdentityView)
async def set_identity(
    program_id: str, body: IdentityBody, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of it, under the version that was read (`If-Match`). Pictures are sent before (`POST /v1/pictures`);
    those that are named no more are deleted."""

    async def command(tx: Transaction) -> tuple[Identity, list[Shown]]:
        await identity.set_identity(context, tx, program_id, if_match, *body.parts())
        return await queries.identity.identity(context, program_id, None, tx)

    return await unit.run(command, view=lambda found: IdentityView.of(*found), etag=lambda found: found[0].version)
