"""The audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from chassis.web.downloads import CSV, csv_download
from chassis.web.http import Acting, Cursor, Limit, Router
from chassis.web.times import Moment
from services.program import queries
from services.program.api.base import Admin, Use
from services.program.commands import audit
from services.program.domain.audit import ActFilter
from services.program.schemas.audit import ActsView, ActView

router = Router(prefix="/audit", tags=["audit trail"])
Word = Annotated[str | None, Query(max_length=64)]
Key = Annotated[str | None, Query(max_length=128)]


def _filter(
    service: Word = None,
    act: Word = None,
    actor_id: Key = None,
    object_type: Word = None,
    object_id: Key = None,
    program_id: Key = None,
    session: Key = None,
    since: Annotated[Moment | None, Query(description="From this moment on")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment")] = None,
) -> ActFilter:
    return ActFilter(service, act, actor_id, object_type, object_id, program_id, session, since, until)


Wanted = Annotated[ActFilter, Depends(_filter)]


@router.get("", summary="What administrators, managers and editors did", response_model=ActsView)
async def list_acts(_: Admin, context: Use, wanted: Wanted, cursor: Cursor = None, limit: Limit = 50) -> ActsView:
    """Acts of all services, newest first. An act is here within seconds; nothing is ever changed or deleted."""
    found, following = await queries.audit.page(context, wanted, cursor, limit)
    total = None if cursor else await context.audit_trail.count(wanted)
    return ActsView(items=[ActView.model_validate(act) for act in found], next=following, total=total)


@router.get(
    "/export",
    summary="Export acts",
    response_class=StreamingResponse,
    responses=CSV,
)
async def export_acts(caller: Admin, acting: Acting, context: Use, wanted: Wanted) -> StreamingResponse:
    """The acts as CSV, a line for each field that changed, with the separator of the caller's language. The export is
    an act itself."""
    await acting.transact(lambda tx: audit.export_audit_trail(tx, wanted))
    return csv_download(queries.audit.export(context, wanted, caller.locale), "audit-trail.csv")
