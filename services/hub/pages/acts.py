"""What an ambassador does beside sharing: talks, articles and podcasts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador
from services.hub.pages.learning import lesson_before
from services.hub.paging import read_list
from services.hub.paths import v1

router = APIRouter()
HERE: Final = "/acts"
PAGE: Final = 20
KINDS: Final = ("talk", "article", "podcast")


@router.get(HERE)
async def acts(view: Ambassador, cursor: str | None = None) -> Response:
    """What one can do, and what one did."""
    program_id = view.require_program().id

    def page_of(cursor: str | None) -> Awaitable[Json]:
        path = v1("programs", program_id, "expert-acts", "mine")
        return view.apis.get("program", path, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"experts": read_list(view, cursor, page_of)}
    if cursor and view.is_fragment:
        return view.page("acts/_experts.html", kinds=KINDS, **await view.gather(**calls))
    path = v1("programs", program_id, "learning")
    calls["learning"] = view.apis.get("program", path, language=view.language.code)
    found = await view.gather(**calls)
    first = lesson_before(found.pop("learning"), "expert_act")
    return view.page("acts/acts.html", kinds=KINDS, program_id=program_id, first=first, **found)


@router.post(HERE + "/expert")
async def declare(view: Ambassador) -> Response:
    """Say what one did as an expert; a form that is sent twice says it once."""
    names = ("act", "title", "link", "happened_on")
    order = {name: await view.field(name) for name in names}
    path = v1("programs", view.require_program().id, "expert-acts")
    await view.apis.call("program", "POST", path, order, key=await view.key(order))
    return view.go(HERE, toast="expert-act-declared")


@router.post(HERE + "/expert/{expert_act_id}/withdraw")
async def withdraw(view: Ambassador, expert_act_id: str) -> Response:
    """Take one's own back, for good."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.expert-act-withdraw.what"))]
        return await ask(view, "expert-act-withdraw", back=HERE, notes=notes, danger=True)
    path = v1("programs", view.require_program().id, "expert-acts", expert_act_id, "withdraw")
    await view.apis.call("program", "POST", path)
    return view.go(HERE, toast="expert-act-withdrawn")
