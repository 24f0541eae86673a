"""Talks, articles and podcasts that ambassadors declared: a manager confirms them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import Manager
from services.hub.paging import read_list
from services.hub.paths import ApiPath, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/acts"
STATES: Final = ("declared", "confirmed", "refused", "expired", "withdrawn")
PAGE: Final = 20


@router.get(HERE)
async def expert_acts(view: Manager, state: str = "declared", query: str = "", cursor: str | None = None) -> Response:
    """What waits for a decision, and what was decided."""
    if view.program is None:
        return view.go("/manage/program")
    state = state if state in STATES else STATES[0]

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view), state=state, query=query, cursor=cursor, limit=PAGE)

    found = await view.gather(acts=read_list(view, cursor, page_of))
    acts = found["acts"]
    names = {} if isinstance(acts, Missing) else await view.names({one["person_id"] for one in acts["items"]})
    template = "acts/_declared.html" if cursor and view.is_fragment else "acts/declared.html"
    return view.page(template, state=state, states=STATES, query=query, names=names, **found)


@router.post(HERE + "/{expert_act_id}/confirm")
async def confirm(view: Manager, expert_act_id: str) -> Response:
    """It counts from now on."""
    await view.apis.call("program", "POST", _path(view, expert_act_id, "confirm"))
    return view.go(HERE, toast="expert-act-confirmed", of=expert_act_id)


@router.post(HERE + "/{expert_act_id}/refuse")
async def refuse(view: Manager, expert_act_id: str) -> Response:
    """It does not count, and its ambassador reads why."""
    reason = (await view.field("reason")).strip()
    order = {"reason": reason} if reason else {}
    await view.apis.call("program", "POST", _path(view, expert_act_id, "refuse"), order)
    return view.go(HERE, toast="expert-act-refused", of=expert_act_id)


@router.post(HERE + "/{expert_act_id}/reopen")
async def reopen(view: Manager, expert_act_id: str) -> Response:
    """What was decided is open again."""
    await view.apis.call("program", "POST", _path(view, expert_act_id, "reopen"))
    return view.go(HERE, toast="expert-act-reopened")


def _path(view: View, *more: str) -> ApiPath:
    return v1("programs", view.require_program().id, "expert-acts", *more)
