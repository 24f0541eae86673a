"""The audit trail: what administrators, managers and editors did in any service."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import Response

from chassis.principals import CLIENT_PREFIX, OPERATOR_PREFIX
from chassis.web.downloads import csv_download
from herald_contracts.words import ADMINISTRATIVE_ACTS, AUDITED_OBJECTS, AUDITED_SERVICES
from services.hub.clients import Json
from services.hub.dependencies import Admin
from services.hub.language import known_zone
from services.hub.paging import read_list
from services.hub.paths import v1
from services.hub.view import is_missing

router = APIRouter(prefix="/admin/audit")
PAGE = 30


def _wanted(
    service: str = "",
    act: str = "",
    object_type: str = "",
    actor_id: str = "",
    object_id: str = "",
    since: str = "",
    until: str = "",
) -> dict[str, str]:
    """What the form asks for; `since` and `until` are days, both included."""
    asked = {"service": service, "act": act, "object_type": object_type, "actor_id": actor_id, "object_id": object_id}
    return {**asked, "since": since, "until": until}


Wanted = Annotated[dict[str, str], Depends(_wanted)]


@router.get("")
async def acts(view: Admin, wanted: Wanted, cursor: str | None = None) -> Response:
    """Acts, newest first, with the names of those who did them and of those whom they concern."""
    asked = _filter(wanted, view.language.clock)

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1("audit"), **asked, cursor=cursor, limit=PAGE)

    acts = (await view.gather(acts=read_list(view, cursor, page_of)))["acts"]
    items: list[dict[str, Any]] = [] if is_missing(acts) else acts["items"]
    people = {one["actor_id"] for one in items if not one["actor_id"].startswith((CLIENT_PREFIX, OPERATOR_PREFIX))}
    people |= {one["object_id"] for one in items if one["object_type"] == "person"}
    return view.page(
        "admin/_acts.html" if cursor and view.is_fragment else "admin/audit.html",
        acts=acts,
        names=await view.names(people),
        wanted=wanted,
        query=urlencode({name: value for name, value in wanted.items() if value}),
        services=AUDITED_SERVICES,
        known_acts=sorted(ADMINISTRATIVE_ACTS, key=lambda one: str(view.language.word("act", one))),
        objects=sorted(AUDITED_OBJECTS, key=lambda one: str(view.language.word("audited", one))),
    )


@router.get("/export")
async def export(view: Admin, wanted: Wanted) -> Response:
    """The acts that the form asks for, as CSV."""
    lines = await view.apis.download("program", v1("audit", "export"), **_filter(wanted, view.language.clock))
    return csv_download(lines, "audit-trail.csv")


def _filter(wanted: dict[str, str], zone: str) -> dict[str, str | None]:
    """The same as the API asks for it: moments instead of days in the reader's time zone."""
    days = {"since": _start(wanted["since"], zone), "until": _start(wanted["until"], zone, after=1)}
    return {**wanted, **days}


def _start(day: str, zone: str, *, after: int = 0) -> str | None:
    """The first moment of a day, or of one after it; None for what is no day."""
    try:
        found = date.fromisoformat(day) + timedelta(days=after)
        return datetime.combine(found, time.min, known_zone(zone)).isoformat()
    except (ValueError, OverflowError):
        return None
