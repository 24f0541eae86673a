"""Events: an ambassador answers and checks in; a manager plans them, prints the code and notes who spoke."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.audience import reached
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Ambassador, Manager
from services.hub.forms.filling import Place
from services.hub.language import Language
from services.hub.lists import Kind, chosen_of, offers
from services.hub.paging import read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/events"
PAGE: Final = 20
KINDS: Final[tuple[Kind, ...]] = ("countries", "teams", "sites")


@router.get("/acts/events")
async def invited(view: Ambassador) -> Response:
    """What is to come, and whether one comes."""
    path = v1("programs", view.require_program().id, "events", "upcoming")
    return view.page("events/invited.html", **await view.gather(events=view.apis.get("program", path)))


@router.post("/acts/events/{event_id}")
async def reply(view: Ambassador, event_id: str) -> Response:
    """Say whether one comes."""
    path = v1("programs", view.require_program().id, "events", event_id, "reply")
    await view.apis.call("program", "POST", path, {"coming": await view.field("coming") == "yes"})
    return view.go("/acts/events", toast="event-replied")


@router.get("/check-in/{code}")
async def scanned(view: Ambassador, code: str) -> Response:
    """Where a scanned code leads: one tap says that one is there."""
    event = await view.apis.get("program", v1("check-ins", code))
    return view.page("events/check_in.html", event=event, code=code)


@router.post("/check-in/{code}")
async def check_in(view: Ambassador, code: str) -> Response:
    """One is there."""
    await view.apis.call("program", "POST", v1("check-ins"), {"code": code})
    return view.go(page("check-in", code), toast="checked-in")


@router.get(HERE)
async def events(view: Manager, cursor: str | None = None) -> Response:
    """All events of the programme."""
    if view.program is None:
        return view.go("/manage/program")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view), cursor=cursor, limit=PAGE)

    found = await view.gather(events=read_list(view, cursor, page_of))
    return view.page("events/_events.html" if cursor and view.is_fragment else "events/events.html", **found)


@router.get(HERE + "/new")
async def new(view: Manager) -> Response:
    """A further event."""
    offered = await offers(view, "ambassadors", **dict.fromkeys(KINDS, ()))
    return view.page("events/form.html", event={}, version=None, action=f"{HERE}/new", offers=offered)


@router.post(HERE + "/new")
async def create(view: Manager) -> Response:
    """Invite ambassadors to it; asked about with how many they are."""
    order = await _order(view)
    if _meant(order["audience"]) and not await is_confirmed(view):
        count = await reached(view, view.require_program().id, {kind: order["audience"][kind] for kind in KINDS})
        notes = [str(view.language.text("ask.event-plan.what", count=count))]
        return await ask(view, "event-plan", back=f"{HERE}/new", notes=notes, undo=True)
    made = await view.apis.call("program", "POST", _path(view), order, key=await view.key(order))
    return view.go(HERE, toast="event-planned", of=made.data["id"])


@router.get(HERE + "/{event_id}")
async def one(view: Manager, event_id: str, cursor: str | None = None) -> Response:
    """An event with its guests, to change it and to note who spoke."""
    found = await view.apis.call("program", "GET", _path(view, event_id))

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view, event_id, "guests"), cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"guests": read_list(view, cursor, page_of)}
    more = await view.gather(**calls)
    guests = more["guests"]
    names = {} if isinstance(guests, Missing) else await view.names({one["person_id"] for one in guests["items"]})
    action = page("manage", "events", event_id)
    if cursor and view.is_fragment:
        return view.page("events/_guests.html", event=found.data, names=names, **more)
    audience = {"everybody": True, **dict.fromkeys(KINDS, ()), **found.data.get("audience", {})}
    return view.page(
        "events/event.html",
        event=found.data,
        version=found.version,
        action=action,
        names=names,
        offers=await offers(view, "ambassadors", **{kind: audience[kind] for kind in KINDS}),
        audience=_groups(view.language, audience),
        **more,
    )


@router.post(HERE + "/{event_id}")
async def change(view: Manager, event_id: str) -> Response:
    version = await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, event_id), await _order(view), version=version)
    return view.go(page("manage", "events", event_id), toast="event-saved")


@router.get(HERE + "/{event_id}/poster")
async def poster(view: Manager, event_id: str) -> Response:
    """The code to print, in each language of the pages."""
    event = await view.apis.get("program", _path(view, event_id))
    link = view.context.settings.public_url + page("check-in", event["code"])
    return view.page("events/poster.html", event=event, link=link)


@router.post(HERE + "/{event_id}/cancel")
async def cancel(view: Manager, event_id: str) -> Response:
    """It does not take place."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.event-cancel.what"))]
        back = page("manage", "events", event_id)
        return await ask(view, "event-cancel", back=back, notes=notes, undo=True, danger=True)
    await view.apis.call("program", "POST", _path(view, event_id, "cancel"))
    return view.go(HERE, toast="event-cancelled", of=event_id)


@router.post(HERE + "/{event_id}/restore")
async def restore(view: Manager, event_id: str) -> Response:
    """It takes place after all."""
    await view.apis.call("program", "POST", _path(view, event_id, "restore"))
    return view.go(HERE, toast="event-restored")


@router.post(HERE + "/{event_id}/guests/{person_id}/speaker")
async def speaker(view: Manager, event_id: str, person_id: str) -> Response:
    """Note that somebody spoke, or (`spoke` is no) that they did not."""
    spoke = await view.field("spoke") != "no"
    path = _path(view, event_id, "guests", person_id, "speaker")
    await view.apis.call("program", "POST" if spoke else "DELETE", path)
    return view.go(page("manage", "events", event_id), toast="speaker-noted" if spoke else "speaker-unnoted")


def _path(view: View, *more: str) -> ApiPath:
    return v1("programs", view.require_program().id, "events", *more)


async def _order(view: View) -> Json:
    """The event as the form has it."""
    starts, ends = await view.moment("starts_at"), await view.moment("ends_at")
    place = (await view.field("place")).strip()
    form = await view.form()
    view.fields |= {"audience": Place("everybody"), **{f"audience.{kind}": Place(kind) for kind in KINDS}}
    return {
        "title": await view.field("title"),
        **({"place": place} if place else {}),
        "starts_at": starts.isoformat() if starts else None,
        "ends_at": ends.isoformat() if ends else None,
        "audience": {"everybody": "everybody" in form, **{kind: chosen_of(form, kind) for kind in KINDS}},
    }


def _meant(audience: Json) -> bool:
    """Whether it says whom the event is for; the service refuses what does not."""
    return bool(audience["everybody"]) != any(audience[kind] for kind in KINDS)


def _groups(language: Language, audience: Json) -> list[str]:
    """Whom an event is for, in words."""
    if audience["everybody"]:
        return [str(language.text("surveys.everybody"))]
    return [*map(language.country_name, audience["countries"]), *audience["teams"], *audience["sites"]]
