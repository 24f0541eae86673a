"""People and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from chassis.web.downloads import csv_download
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Admin
from services.hub.lists import countries, country_code, offers
from services.hub.paging import read_list
from services.hub.paths import page, v1
from services.hub.view import View

router = APIRouter(prefix="/admin")
GRANTED = ("editor", "manager", "admin")
IN_PROGRAM = ("editor", "manager")
"""Roles that may be given for one programme."""
PAGE = 30


@router.get("/people")
async def people(view: Admin, query: str = "", role: str = "", cursor: str | None = None) -> Response:
    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", v1("people"), query=query, role=role, cursor=cursor, limit=PAGE)

    found = await view.gather(people=read_list(view, cursor, page_of))
    template = "admin/_people.html" if cursor and view.is_fragment else "admin/people.html"
    return view.page(template, query=query, role=role, roles=GRANTED, **found)


@router.get("/people/export")
async def export(view: Admin) -> Response:
    """Everybody as CSV, as `program` writes it."""
    return csv_download(await view.apis.download("program", v1("people", "export")), "people.csv")


@router.get("/people/{person_id}")
async def one(view: Admin, person_id: str) -> Response:
    answer = await view.apis.call("program", "GET", v1("people", person_id))
    person = answer.data
    known = await offers(view, "people", teams=(), countries=[code for code, _ in countries(view.language)])
    named = await view.names({id for name in ("same_address_as", "merged_into") if (id := person.get(name))})
    return view.page(
        "admin/person.html",
        person=person,
        named=named,
        version=answer.version,
        known_teams=known["teams"],
        known_countries=known["countries"],
        roles=GRANTED,
        in_program=IN_PROGRAM,
        held={(one["program_id"], one["role"]) for one in answer.data.get("program_roles") or ()},
    )


@router.post("/people/{person_id}")
async def change(view: Admin, person_id: str) -> Response:
    """Roles, team, country, and whether the person is a leader."""
    form = await view.form()
    known = await view.apis.get("program", v1("people", person_id))
    kept = [role for role in known["roles"] if role not in GRANTED and role != "ambassador"]
    order = {
        "roles": [*kept, *(role for role in GRANTED if f"role_{role}" in form)],
        "program_roles": [
            {"program_id": program.id, "role": role}
            for program in view.me.programs
            for role in IN_PROGRAM
            if f"role_{role}_{program.id}" in form
        ],
        "leader": "leader" in form,
        "team": (await view.field("team")).strip(),
        "country": country_code(view.language, await view.field("country")),
    }
    version = await view.whole("version")
    await view.apis.call("program", "PATCH", v1("people", person_id), order, version=version)
    return view.go(page("admin", "people", person_id), toast="saved")


@router.post("/people/{person_id}/deactivate")
async def deactivate(view: Admin, person_id: str) -> Response:
    """The person left the company: cut off everywhere within seconds."""
    here = page("admin", "people", person_id)
    if not await is_confirmed(view):
        return await _ask(view, person_id, "deactivate")
    await view.apis.call("program", "POST", v1("people", person_id, "deactivate"))
    return view.go(here, toast="deactivated", of=person_id)


@router.post("/people/{person_id}/reactivate")
async def reactivate(view: Admin, person_id: str) -> Response:
    """The person is back, or never left."""
    await view.apis.call("program", "POST", v1("people", person_id, "reactivate"))
    return view.go(page("admin", "people", person_id), toast="reactivated")


async def _ask(view: View, person_id: str, act: str, *others: Json, undo: bool = True, **words: Any) -> Response:
    person = await view.apis.get("program", v1("people", person_id))
    roles = [str(view.language.word("role", role)) for role in person["roles"]]
    notes = [view.language.text(f"ask.{act}.what")]
    if roles:
        notes.append(view.language.text("ask.roles", roles=view.language.listed(roles)))
    return await ask(
        view,
        act,
        back=page("admin", "people", person_id),
        names=[
            " · ".join(filter(None, (one["name"], one["email"], one["team"], one.get("site"))))
            for one in (person, *others)
        ],
        notes=map(str, notes),
        undo=undo,
        danger=True,
        name=person["name"],
        **words,
    )


@router.get("/people/{person_id}/merge")
async def choose_other(view: Admin, person_id: str, query: str = "") -> Response:
    """Who is the same person as this one?"""
    answer = await view.apis.call("program", "GET", v1("people", person_id))
    found = []
    if query.strip():
        some = await view.apis.get("program", v1("people"), query=query, limit=PAGE)
        found = [one for one in some["items"] if one["id"] != person_id and not one.get("merged_into")]
    return view.page("admin/merge.html", person=answer.data, version=answer.version, query=query, found=found)


@router.post("/people/{person_id}/merge")
async def merge(view: Admin, person_id: str) -> Response:
    """Two persons are one: who signed in as the other is this person from now on."""
    order = {"other_id": await view.field("other_id")}
    version = await view.whole("version")
    if order["other_id"] and not await is_confirmed(view):
        other = await view.apis.get("program", v1("people", order["other_id"]))
        return await _ask(view, person_id, "merge", other, undo=False, other=other["name"])
    await view.apis.call("program", "POST", v1("people", person_id, "merge"), order, version=version)
    return view.go(page("admin", "people", person_id), toast="merged")
