"""Where one is in time: one's clock and one's holidays, by which nothing is pushed at night or on a day off."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.dependencies import SignedIn
from services.hub.forms.filling import Place
from services.hub.lists import countries, time_zones
from services.hub.paths import v1

router = APIRouter()
HERE: Final = "/me/place"


@router.get(HERE)
async def place(view: SignedIn) -> Response:
    """What counts now, and what else one may choose."""
    found = await view.apis.get("program", v1("me", "place"), language=view.language.code)
    return view.page(
        "place.html",
        place=found,
        zones=time_zones(view.language),
        countries=countries(view.language),
        country=found["holidays"].partition("-")[0],
    )


@router.post(HERE)
async def choose(view: SignedIn) -> Response:
    """Another clock, other holidays; blank for those of one's country."""
    country, part = await view.field("country"), await view.field("part")
    calendar = part if part.partition("-")[0] == country else country
    view.fields = {"holidays": Place("country")}
    order = {"time_zone": await view.field("time_zone"), "holidays": calendar}
    await view.apis.call("program", "PATCH", v1("me"), order)
    return view.go(HERE, toast="saved")
