"""Steering a programme: who is invited, what it is for, what people agree to, and what may not be said."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from chassis.web.problems import Violation
from services.hub.clients import Json, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.language import Language
from services.hub.lists import (
    Kind,
    chosen_of,
    languages,
    local_zone,
    offers,
    time_zones,
)
from services.hub.paging import read_list
from services.hub.paths import v1
from services.hub.pictures import ACCEPT
from services.hub.view import View

router = APIRouter(prefix="/manage")
STATUSES = ("joined", "invited", "declined", "left")
KINDS: tuple[Kind, ...] = ("countries", "teams", "sites")
TRAITS = ("jobs", "levels")
"""Further ones of a segment, by which a suggestion of whom to invite next names it."""
PAGE = 30
OTHER_LANGUAGES = 3
"""Besides those of the pages, that the form of a new programme has room for."""


@router.get("/ambassadors")
async def ambassadors(
    view: Manager, status: str = "joined", name: str = "", query: str = "", cursor: str | None = None
) -> Response:
    """Who takes part (`name` looks among them), and whom one could ask (`query`)."""
    if view.program is None:
        return view.go("/manage/program")
    status = status if status in STATUSES else "joined"
    path = v1("programs", view.program.id, "ambassadors")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", path, status=status, query=name, cursor=cursor, limit=PAGE)

    calls: dict[str, Any] = {"ambassadors": read_list(view, cursor, page_of)}
    fragment = bool(cursor and view.is_fragment)
    if query and not fragment:
        calls["people"] = view.apis.get("program", v1("people"), query=query, limit=PAGE)
    found = {"people": None, **await view.gather(**calls)}
    template = "manage/_ambassadors.html" if fragment else "manage/ambassadors.html"
    offered = {} if fragment else await offers(view, "people", **dict.fromkeys(KINDS, ()))
    return view.page(template, status=status, statuses=STATUSES, name=name, query=query, offers=offered, **found)


@router.post("/invitations")
async def invite(view: Manager) -> Response:
    """Invite persons by name, or a group; nobody takes part before they say so themselves.

    Where nobody is ticked and no group is named, nobody is invited.
    """
    program = view.require_program()
    by_name = await view.field("by") == "name"
    body = await _people_invited(view) if by_name else await _group_invited(view)
    if by_name and not body["people"]:
        raise invalid(Violation("person", "nobody", "Nobody is ticked."))
    places = {"people": "person", "segment": "everybody", **{f"segment.{kind}": kind for kind in KINDS}}
    view.fields = {path: Place(name) for path, name in places.items()}
    confirmed = await is_confirmed(view)
    path = v1("programs", program.id, "invitations")
    answer = await view.apis.call("program", "POST", path, body if confirmed else {**body, "dry_run": True})
    found = answer.data
    if confirmed:
        of = found.get("batch_id") or ""
        return view.go("/manage/ambassadors", toast="invited", status="invited", count=str(found["invited"]), of=of)
    return await ask(
        view,
        "invite",
        back="/manage/ambassadors",
        count=found["invited"],
        names=[_named(view, one) for one in found.get("people", ())],
        notes=passed_over(view, found),
        undo=True,
        program=program.name,
    )


def passed_over(view: View, invited: Json) -> list[str]:
    """Why who was meant is not invited, and who would be left for another time."""
    known = [(why if view.language.has(f"skipped.{why}") else "other", n) for why, n in invited["skipped"].items()]
    reasons = [str(view.language.text(f"skipped.{why}", count=count)) for why, count in known]
    if invited["remaining"]:
        reasons.append(str(view.language.text("invite.remaining", count=invited["remaining"])))
    return reasons


def _named(view: View, person: Json) -> str:
    where = (person["team"], person.get("site"), view.language.country_name(person["country"]), person.get("email"))
    return " · ".join(filter(None, (person["name"], *where)))


@router.post("/invitations/{batch_id}/withdraw")
async def withdraw_all(view: Manager, batch_id: str) -> Response:
    """Take back what one act invited, as far as nobody answered."""
    path = v1("programs", view.require_program().id, "invitations", batch_id, "withdraw")
    answer = await view.apis.call("program", "POST", path)
    return view.go("/manage/ambassadors", toast="withdrawn", count=str(answer.data["withdrawn"]))


@router.post("/ambassadors/{person_id}/withdraw")
async def withdraw(view: Manager, person_id: str) -> Response:
    """Take back one person's invitation."""
    await view.apis.call(
        "program", "POST", v1("programs", view.require_program().id, "ambassadors", person_id, "withdraw")
    )
    return view.go("/manage/ambassadors", toast="withdrawn", count="1", status="invited")


async def _people_invited(view: View) -> Json:
    return {"people": [str(one) for one in (await view.form()).getlist("person")]}


async def _group_invited(view: View) -> Json:
    form = await view.form()
    segment: Json = {
        **{kind: chosen_of(form, kind) for kind in (*KINDS, *TRAITS)},
        "leaders_only": "leaders_only" in form,
        "everybody": "everybody" in form,
    }
    limit = (await view.field("limit")).strip()
    return {"segment": segment, **({"limit": _count(view.language, limit)} if limit else {})}


@router.get("/program")
async def program(view: Manager) -> Response:
    """What leads on to all that a programme has, and what its people agree to."""
    found: dict[str, Any] = {"consent": {}, "version": None}
    if view.program is not None:
        of = ("programs", view.program.id)
        answers = await view.gather(
            look=view.apis.call("program", "GET", v1(*of)),
            consent=view.apis.get("program", v1(*of, "consent"), language=view.language.code),
        )
        found["consent"] = answers["consent"]
        found["version"] = getattr(answers["look"], "version", None)
    return view.page(
        "manage/program.html",
        accept=ACCEPT,
        others=[one for one in languages(view.language) if one[0] not in LANGUAGES],
        rows=OTHER_LANGUAGES,
        time_zones=time_zones(view.language),
        zone=local_zone(view.language),
        **found,
    )


@router.post("/program")
async def create(view: Manager) -> Response:
    """A new programme."""
    texts = await _consents(view)
    order = {
        "name": (await view.field("name")).strip(),
        "time_zone": await view.field("time_zone", "UTC"),
        "languages": [code for code, _ in texts],
        "consent": dict(texts),
    }
    answer = await view.apis.call("program", "POST", v1("programs"), order)
    await view.choose(answer.data["id"])
    return view.go("/manage/program", toast="program-created")


async def _consents(view: View) -> list[tuple[str, str]]:
    """What people agree to, in each language in which it was written: those of the pages first, then others. They are
    the languages of the programme."""
    form = await view.form()
    written = [(code, (await view.field(f"consent_{code}")).strip(), Place(f"consent_{code}")) for code in LANGUAGES]
    written = [one for one in written if one[1]]
    for row, (code, text) in enumerate(zip(form.getlist("language"), form.getlist("consent"), strict=False)):
        if str(code) or str(text).strip():
            written.append((str(code), str(text).replace("\r\n", "\n").strip(), Place("consent", row)))
            view.fields[f"languages.{len(written) - 1}"] = Place("language", row)
    first = Place(f"consent_{LANGUAGES[0]}")
    view.fields |= {"languages": first, "consent": first}
    view.fields |= {f"consent.{code}": place for code, _, place in written}
    return [(code, text) for code, text, _ in written]


def _count(language: Language, text: str) -> int | str:
    """The number; the text itself where it is none, for the API to refuse."""
    number = language.read_number(text)
    return int(number) if number is not None and number.is_integer() else text
