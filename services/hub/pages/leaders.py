"""Leaders go first: who of them takes part, what one can do in two minutes a week, and who prepares it for them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.days import week_of
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador, Manager, load_person
from services.hub.language import known_zone
from services.hub.pages.feed import items_with_shares
from services.hub.pages.share import suggestions
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1
from services.hub.view import Missing, View

router = APIRouter()
PAGE: Final = 30
BOARD: Final = 100
"""Leaders of whom the month's points are looked up."""
STANDINGS: Final = ("joined", "paused", "invited", "applied", "none", "declined", "rejected", "left")
HERE: Final = "/lead"
FIRST_NETWORK: Final = "linkedin"
LIVE: Final = ("named", "accepted")


@router.get("/manage/leaders")
async def leaders(view: Manager, query: str = "", cursor: str | None = None) -> Response:
    """The company's leaders, with their status and, of those who do not keep out of it, their points of the month; and
    how many posts a month the programme hopes for from each."""
    of = ("programs", view.require_program().id)
    query = query[:MAX_QUERY]

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1(*of, "leaders"), query=query, cursor=cursor, limit=PAGE)

    board = view.apis.get("gamification", v1(*of, "leaderboard"), period="month", scope="leaders", limit=BOARD)
    calls = {"leaders": read_list(view, cursor, page_of), "board": board}
    if cursor and view.is_fragment:
        found = await view.gather_all(calls)
    else:
        found = await view.gather(**calls, said=view.apis.call("program", "GET", v1(*of)))
    lines = [] if isinstance(found["board"], Missing) else found["board"]["items"]
    points = {one.get("person_id"): one.get("points") for one in lines}
    template = "leaders/_list.html" if cursor and view.is_fragment else "leaders/list.html"
    return view.page(template, query=query, points=points, standings=STANDINGS, **found)


@router.post("/manage/leaders/hope")
async def hope(view: Manager) -> Response:
    """How many posts a month the programme hopes for from each leader; blank for none said."""
    text = (await view.field("posts_hoped")).strip()
    number = view.language.read_number(text) if text else None
    order = {"posts_hoped": int(number) if number is not None and number.is_integer() else text or None}
    path = v1("programs", view.require_program().id)
    await view.apis.call("program", "PATCH", path, order, version=await view.whole("version"))
    await load_person(view, fresh=True)
    return view.go("/manage/leaders", toast="hope-saved")


# --- a leader's own page ------------------------------------------------------------------------------------------


@router.get(HERE)
async def suggestion(view: Ambassador) -> Response:
    """Two minutes: what was prepared for them, or else something to share that they have not shared yet, with words to
    begin with; whom to thank; what they shared against what the programme hopes for; and their deputies."""
    calls: dict[str, Awaitable[Any]] = {"items": items_with_shares(view, "", None)}
    if view.joined_program is not None:
        of = ("programs", view.joined_program)
        board = v1(*of, "leaderboard")
        calls["board"] = view.apis.get("gamification", board, period="week", scope="individual", limit=5)
        calls["prepared"] = view.apis.get("program", v1(*of, "prepared"))
        calls["deputies"] = view.apis.get("program", v1(*of, "deputies", "mine"))
        calls |= {name: _own(view, first) for name, first in _periods(view).items()}
    found = {"board": {"items": []}, **await view.gather_all(calls)}
    items = [] if isinstance(found["items"], Missing) else found["items"]["items"]
    prepared = await _with_items(view, found.get("prepared"))
    waiting = {one["content_id"] for one in prepared}
    fresh = (one for one in items if not one["shared"] and one.get("shareable", True) and one["id"] not in waiting)
    item = next(fresh, None)
    mine = _mine(view, found.get("deputies"))
    people = {one["person_id"] for one in mine} | {one["deputy_id"] for one in prepared}
    return view.page(
        "leaders/suggestion.html",
        item=item,
        caption=_caption(view, item) if item else None,
        feed=found["items"],
        prepared=prepared,
        thanked=await _to_thank(view, found),
        deputies=found.get("deputies"),
        mine=mine,
        names=await view.names(people) if people else {},
        own={name: found[name] for name in ("week", "month") if name in found},
    )


def _periods(view: View) -> dict[str, date]:
    """The first days of the week and of the month, where the programme is."""
    zone = view.program.time_zone if view.program else "UTC"
    today = view.now.astimezone(known_zone(zone)).date()
    return {"week": week_of(today), "month": today.replace(day=1)}


async def _own(view: View, first: date) -> int:
    """How many posts of one's own were shared since a day and stand."""
    path, program_id = v1("me", "figures"), view.joined_program
    found = await view.apis.get("metrics", path, program_id=program_id, **{"from": first.isoformat()})
    return int((found.get("figures") or {}).get("shares") or 0)


async def find_item(view: View, item_id: str) -> Json:
    """An item of the feed as this person sees it."""
    found: Json = await view.apis.get("content", v1("feed", item_id), language=view.language.code)
    return found


async def _with_items(view: View, prepared: Any) -> list[Json]:
    """What was prepared, each with its item as the leader sees it; None where they do not (any more)."""
    if prepared is None or isinstance(prepared, Missing):
        return []
    found = await view.gather_all({one["id"]: find_item(view, one["content_id"]) for one in prepared["items"]})
    items = {id: None if isinstance(one, Missing) else one for id, one in found.items()}
    return [{**one, "item": items[one["id"]]} for one in prepared["items"]]


def _mine(view: View, deputies: Any) -> list[Json]:
    """A leader's own deputies, asked ones included; and the last who declined, so that the leader knows."""
    if deputies is None or isinstance(deputies, Missing):
        return []
    own = [one for one in deputies["items"] if one["leader_id"] == view.me.id]
    live = [one for one in own if one["state"] in LIVE]
    answered = {one["person_id"] for one in live}
    declined = [one for one in own if one["state"] == "declined" and one["person_id"] not in answered]
    return [*live, *declined[:1]]


def _caption(view: View, item: Json) -> Json | None:
    """One of the captions that suit, another for each leader and week: colleagues do not all say the same."""
    fitting = suggestions(item, FIRST_NETWORK, view.language.code)
    best = [one for one in fitting if one["language"] == fitting[0]["language"]] if fitting else []
    if not best:
        return None
    seed = f"{view.me.id}|{item['id']}|{view.now.isocalendar()[:2]}"
    return best[hashlib.sha256(seed.encode()).digest()[0] % len(best)]


async def _to_thank(view: View, found: Json) -> Json | None:
    """The colleague with the most points this week, of those who are on the leaderboard."""
    lines = [] if isinstance(found["board"], Missing) else found["board"]["items"]
    others = [one["person_id"] for one in lines if one.get("person_id") not in (None, view.me.id)]
    names = await view.names(set(others[:1])) if others else {}
    return dict(names[others[0]]) if others and others[0] in names else None


# --- a leader's deputies ------------------------------------------------------------------------------------------


@router.post(HERE + "/deputies")
async def name_deputy(view: Ambassador) -> Response:
    """Ask a colleague to prepare, once it was said what that means."""
    person = (await view.field("person")).strip()
    if person and not await is_confirmed(view):
        notes = [str(view.language.text("ask.deputy-name.what"))]
        return await ask(view, "deputy-name", back=HERE, notes=notes, undo=True, who=person)
    path = v1("programs", view.require_program().id, "deputies")
    named = await view.apis.call("program", "POST", path, {"person": person})
    return view.go(HERE, toast="deputy-named", of=named.data["id"])


@router.post(HERE + "/deputies/{deputy_id}/end")
async def end_deputy(view: Ambassador, deputy_id: str) -> Response:
    """They prepare nothing more for the leader."""
    if not await is_confirmed(view):
        return await ask(view, "deputy-end", back=HERE, notes=[str(view.language.text("ask.deputy-end.what"))])
    await view.apis.call("program", "POST", v1("programs", view.require_program().id, "deputies", deputy_id, "end"))
    return view.go(HERE, toast="deputy-ended")


@router.post(HERE + "/prepared/{prepared_id}/dismiss")
async def dismiss(view: Ambassador, prepared_id: str) -> Response:
    """The leader does not want to share it."""
    path = v1("programs", view.require_program().id, "prepared", prepared_id, "dismiss")
    await view.apis.call("program", "POST", path)
    return view.go(HERE, toast="prepared-dismissed", of=prepared_id)


@router.post(HERE + "/prepared/{prepared_id}/keep")
async def keep(view: Ambassador, prepared_id: str) -> Response:
    """Take that back."""
    path = v1("programs", view.require_program().id, "prepared", prepared_id, "keep")
    await view.apis.call("program", "POST", path)
    return view.go(HERE, toast="prepared-kept")
