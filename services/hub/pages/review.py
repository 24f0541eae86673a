"""The review of a month: what rose, what fell, and what that suggests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.dependencies import Manager
from services.hub.figures import tiles
from services.hub.language import known_zone
from services.hub.pages.setup import missing_steps, published, read_setup
from services.hub.pages.team import shown_month
from services.hub.paths import v1
from services.hub.today import Line, items_of, today
from services.hub.today import month as look_back
from services.hub.view import Missing, View

router = APIRouter()
SOON: Final = 100


@router.get("/manage/review")
async def review(view: Manager, month: str = "") -> Response:
    """A month against as many days before it; the present one as far as it goes."""
    now = view.now.astimezone(known_zone(view.language.zone)).date()
    first, end = shown_month(month, now)
    last = min(end, max(now, first))
    of = ("programs", view.require_program().id)
    span = {"from": first.isoformat(), "to": last.isoformat()}
    found = await view.gather(
        figures=view.apis.get("metrics", v1(*of, "figures"), **span),
        objectives=view.apis.get("metrics", v1(*of, "objectives")),
        tasks=_tasks(view),
        setup=read_setup(view),
        published=published(view),
    )
    figures = found["figures"]
    shown = [] if isinstance(figures, Missing) else tiles(view.language, figures, {})
    late = [one for one in items_of(found["tasks"]) if one["due_on"] < now.isoformat()]
    missing = missing_steps(view, found["setup"], found["published"])
    looked = look_back(shown, tasks={"items": late}, objectives=found["objectives"], missing=missing)
    return view.page(
        "team/review.html",
        figures=figures,
        month=looked,
        first=first,
        last=last,
        before=(first - timedelta(days=1)).isoformat()[:7],
        after=(end + timedelta(days=1)).isoformat()[:7] if end < now else None,
    )


async def lines_of_today(view: View, objectives: Any) -> list[Line]:
    """What a manager should do today, at most three lines."""
    now = view.now.astimezone(known_zone(view.language.zone)).date()
    program = view.require_program()
    if program.archived:
        return today(now, objectives=objectives, tasks=None, waves=None, waiting={}, missing=(), archived=True)
    of = ("programs", program.id)
    asked: dict[str, Any] = {
        "applications": view.apis.get("program", v1(*of, "applications"), limit=1),
        "questions": view.apis.get("program", v1(*of, "feedback"), state="waiting", limit=1),
        "declared": view.apis.get("program", v1(*of, "expert-acts"), state="declared", limit=1),
    }
    if view.me.has("editor"):
        wanted = {"program_id": program.id, "state": "in_review", "limit": 1}
        asked["in_review"] = view.apis.get("content", v1("items"), **wanted)
    found = await view.gather(
        tasks=_tasks(view),
        setup=read_setup(view),
        published=published(view),
        waves=view.apis.get("program", v1(*of, "waves")),
        newsletters=view.apis.get("program", v1(*of, "newsletters"), limit=1),
        **asked,
    )
    missing = missing_steps(view, found["setup"], found["published"])
    waiting = {name: found[name] for name in asked}
    told = {name: found[name] for name in ("tasks", "waves", "newsletters")}
    return today(now, objectives=objectives, waiting=waiting, missing=missing, **told)


async def _tasks(view: View) -> Any:
    """The open ones that are due first."""
    path = v1("programs", view.require_program().id, "tasks")
    return await view.apis.get("program", path, state="open", limit=SOON)
