"""Newsletters: drafted, written in blocks, looked at as a mail, tried, approved, scheduled; and the archive."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from chassis.messages import LANGUAGES
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager, SignedIn, requires
from services.hub.drafting import draft
from services.hub.forms.filling import Place
from services.hub.paging import read_list
from services.hub.paths import ApiPath, page, v1
from services.hub.view import Missing, View

router = APIRouter()
HERE: Final = "/manage/newsletters"
PAGE: Final = 20
MAX_OFF: Final = 5
FREE: Final = 1
"""Empty blocks that the form has after those that are written."""
TEXTS: Final = ("title", "text", "link", "link_text", "picture", "picture_alt")
ADDRESSES: Final = ("link", "picture")
_PLACE: Final = re.compile(r"place_(\d{1,2})")
KEPT: Final = ("countries", "teams", "sites")
Writer = Annotated[View, requires("editor", "manager")]
SHOWN_MAIL: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
    "frame-ancestors 'self'; sandbox allow-popups",
    "Cache-Control": "no-store",
}
"""A mail has its styles in it: it is shown in a frame of its own that may do nothing."""


@router.get(HERE)
async def newsletters(view: Writer, cursor: str | None = None) -> Response:
    """All newsletters of the programme, the last one first."""
    path = v1("programs", view.require_program().id, "newsletters")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", path, cursor=cursor, limit=PAGE)

    found = await view.gather(newsletters=read_list(view, cursor, page_of))
    template = "newsletters/_list.html" if cursor and view.is_fragment else "newsletters/list.html"
    return view.page(template, **found)


@router.post(HERE + "/draft")
async def draft_one(view: Writer) -> Response:
    """Draft one from what happened in the last four weeks."""
    order = await draft(view)
    if not order["blocks"]:
        return view.go(HERE + "/new", toast="newsletter-nothing")
    path = v1("programs", view.require_program().id, "newsletters")
    made = await view.apis.call("program", "POST", path, order, key=await view.key({}))
    return view.go(page("manage", "newsletters", made.data["id"]), toast="newsletter-drafted")


@router.get(HERE + "/new")
async def new(view: Writer) -> Response:
    """An empty one."""
    return _editor(view, {"state": "draft", "subjects": {}, "blocks": [], "segment": {}}, None)


@router.post(HERE + "/new")
async def create(view: Writer) -> Response:
    order = await _written(view)
    path = v1("programs", view.require_program().id, "newsletters")
    made = await view.apis.call("program", "POST", path, order, key=await view.key(order))
    view.shown_at = page("manage", "newsletters", made.data["id"])
    return await _then(view, made.data["id"])


@router.get(HERE + "/{newsletter_id}")
async def one(view: Writer, newsletter_id: str) -> Response:
    """What is not sent yet, to change it; of the rest, how far it is."""
    found = await view.apis.call("program", "GET", _path(view, newsletter_id))
    return _editor(view, found.data, found.version)


def _editor(view: View, newsletter: Json, version: int | None) -> Response:
    spoken = view.require_program().languages or LANGUAGES
    return view.page(
        "newsletters/editor.html",
        newsletter=newsletter,
        version=version,
        written_in=list(dict.fromkeys((*spoken, *newsletter["subjects"]))),
        blocks=[*newsletter["blocks"], *({"kind": "text", "texts": {}} for _ in range(FREE))],
        kept=KEPT,
    )


@router.post(HERE + "/{newsletter_id}")
async def change(view: Writer, newsletter_id: str) -> Response:
    """Save what was written; then look at it, or have it sent to oneself."""
    order, version = await _written(view), await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, newsletter_id), order, version=version)
    return await _then(view, newsletter_id)


async def _then(view: View, newsletter_id: str) -> Response:
    then = await view.field("then")
    if then == "preview":
        return view.go(page("manage", "newsletters", newsletter_id, "preview"))
    if then == "test":
        await view.apis.call("program", "POST", _path(view, newsletter_id, "test"))
        return view.go(page("manage", "newsletters", newsletter_id), toast="newsletter-tested")
    return view.go(page("manage", "newsletters", newsletter_id), toast="newsletter-saved")


@router.get(HERE + "/{newsletter_id}/preview")
async def preview(view: Writer, newsletter_id: str, language: str = "") -> Response:
    """As its readers see it: on a desktop, a phone, a dark theme, and as plain text."""
    found = await view.apis.call("program", "GET", _path(view, newsletter_id))
    spoken = list(found.data["subjects"])
    chosen = language if language in spoken else (spoken or [view.language.code])[0]
    looks = await view.apis.get("program", _path(view, newsletter_id, "preview"), language=chosen)
    return view.page(
        "newsletters/preview.html",
        newsletter=found.data,
        version=found.version,
        layout=looks,
        spoken=spoken,
        chosen=chosen,
    )


@router.get(HERE + "/{newsletter_id}/mail")
async def mail(view: Writer, newsletter_id: str, language: str = "", theme: str = "light") -> Response:
    """The mail itself, for a frame of the preview."""
    looks = await view.apis.get("program", _path(view, newsletter_id, "preview"), language=language)
    return HTMLResponse(looks["dark"] if theme == "dark" else looks["html"], headers=SHOWN_MAIL)


@router.post(HERE + "/{newsletter_id}/approve")
async def approve(view: Manager, newsletter_id: str) -> Response:
    """It may go as it was seen."""
    version = await view.whole("version")
    await view.apis.call("program", "POST", _path(view, newsletter_id, "approve"), version=version)
    return view.go(page("manage", "newsletters", newsletter_id), toast="newsletter-approved")


@router.post(HERE + "/{newsletter_id}/schedule")
async def schedule(view: Manager, newsletter_id: str) -> Response:
    """Each reader gets it at that hour of their own clock."""
    order = {name: await view.field(name) for name in ("send_on", "send_at")}
    if not await is_confirmed(view):
        found = await view.apis.get("program", _path(view, newsletter_id))
        notes = [str(view.language.text("ask.newsletter-schedule.what", count=found.get("recipients") or 0))]
        notes += await _who_waits(view, newsletter_id, order)
        back = page("manage", "newsletters", newsletter_id)
        return await ask(view, "newsletter-schedule", back=back, notes=notes, undo=True)
    await view.apis.call("program", "POST", _path(view, newsletter_id, "schedule"), order)
    return view.go(page("manage", "newsletters", newsletter_id), toast="newsletter-scheduled", of=newsletter_id)


async def _who_waits(view: View, newsletter_id: str, order: Json) -> list[str]:
    """Whose mail comes later than that hour, and why."""
    asked = view.apis.get(
        "program", _path(view, newsletter_id, "holidays"), day=order["send_on"], language=view.language.code
    )
    found = (await view.gather(off=asked))["off"]
    notes = []
    for one in [] if isinstance(found, Missing) else found["items"][:MAX_OFF]:
        where = view.language.country_name(one["calendar"].partition("-")[0])
        said = view.language.text("ask.newsletter-schedule.off", count=one["people"], where=where, name=one["name"])
        notes.append(str(said))
    if not "08:00" <= order["send_at"] < "20:00":
        notes.append(str(view.language.text("ask.newsletter-schedule.night")))
    return notes


@router.post(HERE + "/{newsletter_id}/unschedule")
async def unschedule(view: Manager, newsletter_id: str) -> Response:
    await view.apis.call("program", "POST", _path(view, newsletter_id, "unschedule"))
    return view.go(page("manage", "newsletters", newsletter_id), toast="newsletter-unscheduled")


@router.post(HERE + "/{newsletter_id}/stop")
async def stop(view: Manager, newsletter_id: str) -> Response:
    """Send no more of it, for good."""
    back = page("manage", "newsletters", newsletter_id)
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.newsletter-stop.what"))]
        return await ask(view, "newsletter-stop", back=back, notes=notes, danger=True)
    await view.apis.call("program", "POST", _path(view, newsletter_id, "stop"))
    return view.go(back, toast="newsletter-stopped")


@router.post(HERE + "/{newsletter_id}/delete")
async def delete(view: Writer, newsletter_id: str) -> Response:
    if not await is_confirmed(view):
        back = page("manage", "newsletters", newsletter_id)
        return await ask(view, "newsletter-delete", back=back, danger=True)
    await view.apis.call("program", "DELETE", _path(view, newsletter_id))
    return view.go(HERE, toast="newsletter-deleted")


@router.get("/newsletters")
async def archive(view: SignedIn, cursor: str | None = None) -> Response:
    """What was sent, in the reader's language."""
    path = v1("programs", view.require_program().id, "newsletters", "archive")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", path, language=view.language.code, cursor=cursor, limit=PAGE)

    found = await view.gather(issues=read_list(view, cursor, page_of))
    template = "newsletters/_issues.html" if cursor and view.is_fragment else "newsletters/archive.html"
    return view.page(template, **found)


@router.get("/programs/{program_id}/newsletters/{newsletter_id}")
async def issue(view: SignedIn, program_id: str, newsletter_id: str) -> Response:
    """One that was sent, whichever programme its reader looks at: mails lead here."""
    path = v1("programs", program_id, "newsletters", "archive", newsletter_id)
    return view.page("newsletters/issue.html", issue=await view.apis.get("program", path, language=view.language.code))


def _path(view: View, newsletter_id: str, *more: str) -> ApiPath:
    return v1("programs", view.require_program().id, "newsletters", newsletter_id, *more)


async def _written(view: View) -> Json:
    """What the form has: blocks in which something was written, by their places."""
    form = await view.form()
    codes = [name.removeprefix("subject_") for name in form if name.startswith("subject_")]
    numbers = [
        int(name[6:]) for name in form if name.startswith("place_") and name[6:].isascii() and name[6:].isdigit()
    ]
    placed: list[tuple[int, int, Json]] = []
    for number in numbers:
        texts = {code: await _text(view, number, code) for code in codes}
        texts = {code: text for code, text in texts.items() if any(text.values())}
        if texts:
            place = view.language.read_number(await view.field(f"place_{number}")) or 0
            placed.append((int(place), number, {"kind": await view.field(f"kind_{number}") or "text", "texts": texts}))
    placed.sort(key=lambda one: one[:2])
    for index, (_, number, block) in enumerate(placed):
        for code in codes:
            at = f"blocks.{index}.texts.{code}"
            view.fields |= {at: Place(f"text_{number}_{code}")}
            view.fields |= {
                f"{at}.{name}": Place(f"{name}_{number}_{code}") for name in block["texts"].get(code, TEXTS)
            }
    view.fields |= {f"subjects.{code}": Place(f"subject_{code}") for code in codes}
    view.fields |= {"segment": Place("everybody")}
    view.fields |= {"blocks": Place(f"text_0_{(codes or LANGUAGES)[0]}")}
    subjects = {code: (await view.field(f"subject_{code}")).strip() for code in codes}
    segment: dict[str, Any] = {name: [str(one) for one in form.getlist(name)] for name in KEPT}
    return {
        "subjects": {code: text for code, text in subjects.items() if text},
        "blocks": [block for *_, block in placed],
        "segment": {**segment, "everybody": "everybody" in form, "leaders_only": "leaders_only" in form},
    }


async def _text(view: View, number: int, code: str) -> Json:
    found: Json = {name: (await view.field(f"{name}_{number}_{code}")).strip() for name in TEXTS}
    return {**found, **{name: found[name] or None for name in ADDRESSES}}
