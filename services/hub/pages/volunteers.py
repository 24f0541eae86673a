"""Finding volunteers: links and posters, applications, one-time codes, and who takes part against who there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from segno import DataOverflowError
from starlette.responses import Response

from chassis.messages import LANGUAGES, languages
from chassis.web.problems import Violation
from services.hub.clients import Json, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.language import Language
from services.hub.pages.privacy import REASONS
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import NoSuchPath, page, v1
from services.hub.poster import Poster, Words, draw, unwritable
from services.hub.view import View

router = APIRouter(prefix="/manage")
LINKS: Final = "/manage/links"
APPLICATIONS: Final = "/manage/applications"
STATES: Final = ("open", "withdrawn")
QUESTIONS: Final = range(3)
PAGE: Final = 20
DIMENSIONS: Final = ("jobs", "levels", "countries", "sites")
MOST_TOLD: Final = 12
MOST_SIGNS: Final = 8


@router.get("/links")
async def links(view: Manager, query: str = "", state: str = "open", cursor: str | None = None) -> Response:
    """The links of the programme, each with its poster and with how many came by it."""
    query, state = query[:MAX_QUERY], state if state in STATES else "open"
    path = _path(view, "invitation-links")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", path, query=query, state=state, cursor=cursor, limit=PAGE)

    found = await view.gather(links=read_list(view, cursor, page_of))
    template = "volunteers/_links.html" if cursor and view.is_fragment else "volunteers/links.html"
    return view.page(template, query=query, state=state, states=STATES, address=partial(_address, view), **found)


@router.get("/links/new")
async def new_link(view: Manager) -> Response:
    """A further link."""
    return view.page("volunteers/link.html", codes=_languages(view))


@router.post("/links/new")
async def create_link(view: Manager) -> Response:
    """Make a link; a form that is sent twice makes one."""
    codes = _languages(view)
    headlines = {code: (await view.field(f"headline_{code}")).strip() for code in codes}
    view.fields = {f"headlines.{code}": Place(f"headline_{code}") for code in codes}
    _check_written(headlines)
    order: Json = {
        "title": await view.field("title"),
        "headlines": {code: text for code, text in headlines.items() if text},
        "ends_on": await view.field("ends_on") or None,
        "approval": "approval" in await view.form(),
    }
    await view.apis.call("program", "POST", _path(view, "invitation-links"), order, key=await view.key(order))
    return view.go(LINKS, toast="link-made")


@router.post("/links/{link_id}/withdraw")
async def withdraw_link(view: Manager, link_id: str) -> Response:
    """Let nobody follow it any more."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.link-withdraw.what"))]
        return await ask(view, "link-withdraw", back=LINKS, notes=notes, undo=True)
    await view.apis.call("program", "POST", _path(view, "invitation-links", link_id, "withdraw"))
    return view.go(LINKS, toast="link-withdrawn", of=link_id)


@router.post("/links/{link_id}/reopen")
async def reopen_link(view: Manager, link_id: str) -> Response:
    """Let people follow it again."""
    await view.apis.call("program", "POST", _path(view, "invitation-links", link_id, "reopen"))
    return view.go(LINKS, toast="link-reopened")


@router.get("/links/{link_id}/poster.pdf")
async def poster(view: Manager, link_id: str) -> Response:
    """The poster, in the programme's languages and in those of the pages. 404 for a link that no code can hold."""
    link = await view.apis.get("program", _path(view, "invitation-links", link_id))
    program = view.require_program()
    texts = [_words(code, link["headlines"].get(code)) for code in _languages(view)]
    order = Poster(program.name, _address(view, link["token"]), texts, program.colour, program.text_colour)
    try:
        pdf = await asyncio.to_thread(draw, order)
    except DataOverflowError:
        raise NoSuchPath(link_id) from None
    headers = {"Content-Disposition": 'attachment; filename="poster.pdf"', "Cache-Control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)


def _check_written(headlines: Mapping[str, str]) -> None:
    """Raises Refusal `not-printable` for headlines with signs that the poster has no typeface for."""
    detail = "The poster cannot show it."
    signs = {code: unwritable(text)[:MOST_SIGNS] for code, text in headlines.items()}
    wrong = [
        Violation(f"headlines.{code}", "not-printable", detail, params={"signs": found})
        for code, found in signs.items()
        if found
    ]
    if wrong:
        raise invalid(*wrong)


def _words(code: str, headline: str | None) -> Words:
    """What the poster says in a language: of one that the pages have, the whole of it; of another, the headline."""
    if code not in languages():
        return Words(headline or "")
    language = Language(code)
    scan, below = language.text("poster.scan"), language.text("poster.below")
    return Words(headline or str(language.text("poster.headline")), str(scan), str(below))


def _languages(view: View) -> list[str]:
    """The programme's languages, then those of the pages that it has not."""
    own = view.require_program().languages
    return [*own, *(code for code in LANGUAGES if code not in own)]


def _address(view: View, token: str) -> str:
    return f"{view.context.settings.public_url}/i/{quote(token, safe='')}"


@router.get("/applications")
async def applications(view: Manager, query: str = "", cursor: str | None = None) -> Response:
    """Who put themselves forward, and what people are asked who do."""
    query = query[:MAX_QUERY]

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", _path(view, "applications"), query=query, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"applications": read_list(view, cursor, page_of)}
    calls["admission"] = view.apis.call("program", "GET", _path(view, "admission"))
    found = await view.gather(**calls)
    template = "volunteers/_applications.html" if cursor and view.is_fragment else "volunteers/applications.html"
    codes = view.require_program().languages
    return view.page(template, query=query, questions=QUESTIONS, codes=codes, **found)


@router.post("/admission")
async def change_admission(view: Manager) -> Response:
    """Whether people may put themselves forward, and what they are asked then."""
    codes = view.require_program().languages
    texts = [{code: (await view.field(f"question_{n}_{code}")).strip() for code in codes} for n in QUESTIONS]
    asked = [number for number in QUESTIONS if any(texts[number].values())]
    view.fields = {
        f"questions.{index}.{code}": Place(f"question_{number}_{code}")
        for index, number in enumerate(asked)
        for code in codes
    }
    order: Json = {
        "nominations": "nominations" in await view.form(),
        "questions": [{code: text for code, text in texts[number].items() if text} for number in asked],
    }
    version = await view.whole("version") or 0
    await view.apis.call("program", "PUT", _path(view, "admission"), order, version=version)
    return view.go(APPLICATIONS, toast="admission-saved")


@router.post("/ambassadors/{person_id}/approve")
async def approve(view: Manager, person_id: str) -> Response:
    """Invite somebody who put themselves forward: whether they join is theirs to say."""
    await view.apis.call("program", "POST", _path(view, "ambassadors", person_id, "approve"))
    return view.go(APPLICATIONS, toast="approved", of=person_id)


@router.post("/ambassadors/{person_id}/reject")
async def reject(view: Manager, person_id: str) -> Response:
    """Turn somebody down, once it was asked."""
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.reject.what"))]
        return await ask(view, "reject", back=APPLICATIONS, notes=notes, undo=True, danger=True)
    await view.apis.call("program", "POST", _path(view, "ambassadors", person_id, "reject"))
    return view.go(APPLICATIONS, toast="rejected", of=person_id)


@router.get("/ambassadors/{person_id}/access")
async def access(view: Manager, person_id: str) -> Response:
    """How somebody signs in who has no account: a one-time code, and the devices that came in by one."""
    found = await view.apis.get("program", _path(view, "ambassadors", person_id, "access"))
    return view.page("volunteers/access.html", access=found, code=None)


@router.post("/ambassadors/{person_id}/code")
async def issue_code(view: Manager, person_id: str) -> Response:
    """A new code, which this page alone shows: it is not to be found again."""
    found = await view.apis.get("program", _path(view, "ambassadors", person_id, "access"))
    answer = await view.apis.call("program", "POST", _path(view, "ambassadors", person_id, "code"))
    view.shown_at = page("manage", "ambassadors", person_id, "access")
    address = view.context.settings.public_url + "/code"
    return view.page("volunteers/access.html", access=found, code=answer.data, address=address)


@router.post("/ambassadors/{person_id}/devices/end")
async def end_devices(view: Manager, person_id: str) -> Response:
    """Sign somebody out of the devices that a code let in."""
    back = page("manage", "ambassadors", person_id, "access")
    if not await is_confirmed(view):
        notes = [str(view.language.text("ask.devices-end.what"))]
        return await ask(view, "devices-end", back=back, notes=notes, danger=True)
    await view.apis.call("program", "POST", _path(view, "ambassadors", person_id, "devices", "end"))
    return view.go(back, toast="devices-ended")


@router.get("/diversity")
async def diversity(view: Manager) -> Response:
    """Ambassadors against everybody with the company, whom to invite next, and why people pause and leave."""
    calls = {name: view.apis.get("program", _path(view, name)) for name in ("diversity", "departures")}
    return view.page(
        "volunteers/diversity.html",
        dimensions=DIMENSIONS,
        most=MOST_TOLD,
        reasons=REASONS,
        **await view.gather(**calls),
    )


def _path(view: View, *more: str) -> Any:
    return v1("programs", view.require_program().id, *more)
