"""What a deputy does: answer a leader, choose an item for them and write a caption. The leader alone shares."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador
from services.hub.pages.feed import items_with_shares
from services.hub.pages.leaders import find_item
from services.hub.pages.share import suggestions
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import ApiPath, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/deputy"
FIRST_NETWORK: Final = "linkedin"


@router.get(HERE)
async def deputy(view: Ambassador) -> Response:
    """Whom one prepares for or is asked to, and what one prepared."""
    found = await view.gather(
        deputies=view.apis.get("program", _path(view, "deputies", "mine")),
        prepared=view.apis.get("program", _path(view, "prepared", "mine")),
    )
    mine = [one for one in _items(found["deputies"]) if one["person_id"] == view.me.id]
    live = [one for one in mine if one["state"] in ("named", "accepted")]
    made = _items(found["prepared"])
    people = {one["leader_id"] for one in (*live, *made)}
    titles = await _titles(view, [one for one in made if one["state"] == "waiting"])
    names = await view.names(people) if people else {}
    return view.page("leaders/deputy.html", live=live, titles=titles, names=names, **found)


@router.post(HERE + "/{deputy_id}/accept")
async def accept(view: Ambassador, deputy_id: str) -> Response:
    """Prepare for a leader who asks."""
    await view.apis.call("program", "POST", _path(view, "deputies", deputy_id, "accept"))
    return view.go(HERE, toast="deputy-accepted")


@router.post(HERE + "/{deputy_id}/decline")
async def decline(view: Ambassador, deputy_id: str) -> Response:
    """Rather not."""
    await view.apis.call("program", "POST", _path(view, "deputies", deputy_id, "decline"))
    return view.go(HERE, toast="deputy-declined")


@router.post(HERE + "/{deputy_id}/end")
async def end(view: Ambassador, deputy_id: str) -> Response:
    """Prepare no more for a leader."""
    if not await is_confirmed(view):
        return await ask(view, "deputy-stop", back=HERE, notes=[str(view.language.text("ask.deputy-end.what"))])
    await view.apis.call("program", "POST", _path(view, "deputies", deputy_id, "end"))
    return view.go(HERE, toast="deputy-ended")


@router.get(HERE + "/{deputy_id}/items")
async def choose(view: Ambassador, deputy_id: str, query: str = "", cursor: str | None = None) -> Response:
    """What there is to prepare."""
    query = query[:MAX_QUERY]
    found = await view.gather(items=read_list(view, cursor, partial(items_with_shares, view, query)))
    template = "leaders/_choose.html" if cursor and view.is_fragment else "leaders/choose.html"
    return view.page(template, deputy_id=deputy_id, query=query, **found)


@router.get(HERE + "/{deputy_id}/items/{item_id}")
async def write(view: Ambassador, deputy_id: str, item_id: str) -> Response:
    """An item with words to begin with."""
    item = await find_item(view, item_id)
    first = next(iter(suggestions(item, FIRST_NETWORK, view.language.code)), None)
    one = {"caption": first["text"] if first else "", "language": first["language"] if first else view.language.code}
    return _form(view, item, one, None)


@router.post(HERE + "/{deputy_id}/items/{item_id}")
async def prepare(view: Ambassador, deputy_id: str, item_id: str) -> Response:
    """Have it wait for the leader."""
    order = {"content_id": item_id, **await _words(view)}
    path = _path(view, "deputies", deputy_id, "prepared")
    made = await view.apis.call("program", "POST", path, order, key=await view.key(order))
    return view.go(HERE, toast="prepared", of=made.data["id"])


@router.get(HERE + "/prepared/{prepared_id}")
async def prepared(view: Ambassador, prepared_id: str) -> Response:
    """What waits for a leader, to write it differently."""
    found = await view.apis.call("program", "GET", _path(view, "prepared", prepared_id))
    one = found.data
    item = (await view.gather(item=find_item(view, one["content_id"])))["item"]
    return _form(view, None if isinstance(item, Missing) else item, one, found.version)


@router.post(HERE + "/prepared/{prepared_id}")
async def change(view: Ambassador, prepared_id: str) -> Response:
    """Other words."""
    version = await view.whole("version")
    path = _path(view, "prepared", prepared_id)
    await view.apis.call("program", "PUT", path, await _words(view), version=version)
    return view.go(HERE, toast="prepared-saved")


@router.post(HERE + "/prepared/{prepared_id}/withdraw")
async def withdraw(view: Ambassador, prepared_id: str) -> Response:
    """It waits no more."""
    await view.apis.call("program", "POST", _path(view, "prepared", prepared_id, "withdraw"))
    return view.go(HERE, toast="prepared-withdrawn")


def _path(view: View, *segments: str) -> ApiPath:
    return v1("programs", view.require_program().id, *segments)


def _items(found: Any) -> list[Json]:
    return [] if isinstance(found, Missing) else list(found["items"])


async def _titles(view: View, made: list[Json]) -> dict[str, Json]:
    """Items by their id, as far as the deputy sees them."""
    found = await view.gather_all({id: find_item(view, id) for id in {one["content_id"] for one in made}})
    return {id: one for id, one in found.items() if not isinstance(one, Missing)}


async def _words(view: View) -> Json:
    return {"language": await view.field("language", view.language.code), "caption": await view.field("caption")}


def _form(view: View, item: Json | None, one: Json, version: int | None) -> Response:
    spoken = dict.fromkeys((*view.require_program().languages, one["language"]))
    return view.page(
        "leaders/prepare.html", item=item, one=one, version=version, action=view.here, languages=list(spoken)
    )
