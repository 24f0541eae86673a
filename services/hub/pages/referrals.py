"""Referring candidates: an ambassador's links to job offers, the page that a link leads to, and a manager's list."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from chassis.web_address import find
from services.hub.clients import Json
from services.hub.dependencies import Ambassador, Manager, Visitor
from services.hub.paging import read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/referrals"
STATES: Final = ("applied", "in_review", "interview", "offer", "hired", "rejected", "withdrawn")
PAGE: Final = 20
PARAMETER: Final = "herald_referral"
"""By which the address of a job offer names the link that led to it."""


@router.get("/acts/offers")
async def offers(view: Ambassador, cursor: str | None = None) -> Response:
    """The open job offers, and how far those are whom one referred."""
    of = ("programs", view.require_program().id)
    language = view.language.code

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1(*of, "job-offers"), language=language, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"offers": read_list(view, cursor, page_of)}
    if cursor and view.is_fragment:
        return view.page("acts/_offers.html", **await view.gather(**calls))
    calls["referrals"] = view.apis.get("program", v1(*of, "referrals", "mine"), language=language, limit=PAGE)
    return view.page("acts/offers.html", **await view.gather(**calls))


@router.post("/acts/offers/{job_id}")
async def make_link(view: Ambassador, job_id: str) -> Response:
    """One's own link to an offer, to pass on."""
    path = v1("programs", view.require_program().id, "job-offers", job_id, "link")
    code = (await view.apis.call("program", "POST", path)).data["code"]
    return view.go(page("refer", code))


@router.get("/refer/{code}")
async def refer(view: Visitor, code: str) -> Response:
    """Where a link leads: for whoever follows it the way to the offer, for whom it belongs to how to pass it on."""
    path = v1("referral-links", code)
    found: Json = await view.apis.get("program", path, language=view.language.code)
    own = view.person is not None and view.person.id == found["referrer_id"]
    return view.page(
        "acts/link.html" if own else "acts/refer.html",
        offer=found,
        link=view.context.settings.public_url + page("refer", code),
        onward=_with_code(found["url"], code),
    )


def _with_code(url: str, code: str) -> str:
    """The address of an offer that names the link; "" where it is none."""
    address = find(url)
    if address is None:
        return ""
    before = address.href.partition("#")[0].partition("?")[2]
    return address.with_query("&".join(filter(None, (before, urlencode({PARAMETER: code})))))


@router.get(HERE)
async def referrals(view: Manager, state: str = "", cursor: str | None = None) -> Response:
    """Whom ambassadors referred, as the recruiting system tells it."""
    if view.program is None:
        return view.go("/manage/program")
    state = state if state in STATES else ""

    def page_of(cursor: str | None) -> Awaitable[Json]:
        asked = {"state": state or None, "language": view.language.code, "cursor": cursor, "limit": PAGE}
        return view.apis.get("program", _path(view), **asked)

    found = await view.gather(referrals=read_list(view, cursor, page_of))
    rows = found["referrals"]
    names = {} if isinstance(rows, Missing) else await view.names({one["person_id"] for one in rows["items"]})
    template = "acts/_referrals.html" if cursor and view.is_fragment else "acts/referrals.html"
    return view.page(template, state=state, states=STATES, names=names, **found)


@router.post(HERE + "/{referral_id}/reward")
async def reward(view: Manager, referral_id: str) -> Response:
    """The reward for a hire was given."""
    await view.apis.call("program", "POST", _path(view, referral_id, "reward"))
    return view.go(HERE, toast="referral-rewarded", of=referral_id)


@router.post(HERE + "/{referral_id}/unreward")
async def unreward(view: Manager, referral_id: str) -> Response:
    """It was not given after all."""
    await view.apis.call("program", "POST", _path(view, referral_id, "unreward"))
    return view.go(HERE, toast="referral-unrewarded")


def _path(view: View, *more: str) -> ApiPath:
    return v1("programs", view.require_program().id, "referrals", *more)
