"""What a programme wants to reach: how far each objective is, what to do for it, and what was learned."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from herald_contracts.words import KPIS, OBJECTIVE_STATES, USE_CASES
from services.hub.clients import Json
from services.hub.dependencies import Manager
from services.hub.figures import RATES, definitions_by_key
from services.hub.forms.filling import Place
from services.hub.language import Language
from services.hub.lists import Option, chosen_of
from services.hub.pages.dashboard import titles_of
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1
from services.hub.view import Missing, View

router = APIRouter(prefix="/manage/objectives")
HERE: Final = "/manage/objectives"
PAGE: Final = 20
OFFERED: Final = 100
"""So many of the latest items, and of the programme's managers, can be chosen."""


@router.get("")
async def objectives(view: Manager, state: str = "open", query: str = "", cursor: str | None = None) -> Response:
    """The objectives in a state: what is set is `program`'s, how far it is `metrics` says."""
    program = view.require_program()
    state = state if state in OBJECTIVE_STATES else "open"
    of = ("programs", program.id, "objectives")

    def page_of(cursor: str | None) -> Awaitable[Json]:
        wanted = {"query": query.strip()[:MAX_QUERY], "state": state}
        return view.apis.get("program", v1(*of), **wanted, cursor=cursor, limit=PAGE)

    found = await view.gather(
        objectives=read_list(view, cursor, page_of),
        progress=view.apis.get("metrics", v1(*of), state=state, limit=100),
        definitions=view.apis.get("metrics", v1("definitions"), language=view.language.of_herald),
    )
    shown = [] if isinstance(found["objectives"], Missing) else found["objectives"]["items"]
    progress = found["progress"]
    known = {} if isinstance(progress, Missing) else {one["objective_id"]: one for one in progress["items"]}
    people = {one[name] for one in shown for name in ("owner_id", "reviewed_by") if one.get(name)}
    return view.page(
        "objectives/_list.html" if cursor and view.is_fragment else "objectives/list.html",
        objectives=found["objectives"],
        progress=progress,
        known=known,
        definitions={} if isinstance(found["definitions"], Missing) else definitions_by_key(found["definitions"]),
        names=await view.names(people) if people else {},
        query=query,
        state=state,
        states=OBJECTIVE_STATES,
    )


@router.get("/new")
async def new(view: Manager) -> Response:
    """A further objective."""
    return await _form(view, {"owner_id": view.me.id}, None)


@router.post("/new")
async def create(view: Manager) -> Response:
    """Set an objective; a form that is sent twice sets one."""
    path = v1("programs", view.require_program().id, "objectives")
    order = await _order(view)
    await view.apis.call("program", "POST", path, order, key=await view.key(order))
    return view.go(HERE, toast="objective-set")


@router.get("/{objective_id}")
async def objective(view: Manager, objective_id: str) -> Response:
    """One objective, to change it."""
    answer = await view.apis.call("program", "GET", _path(view, objective_id))
    return await _form(view, answer.data, answer.version)


@router.post("/{objective_id}")
async def change(view: Manager, objective_id: str) -> Response:
    """Change an open objective."""
    version = await view.whole("version")
    await view.apis.call("program", "PUT", _path(view, objective_id), await _order(view), version=version)
    return view.go(HERE, toast="objective-set")


@router.get("/{objective_id}/review")
async def review_form(view: Manager, objective_id: str) -> Response:
    """What came of an objective, beside what was learned."""
    found = await view.gather(progress=view.apis.get("metrics", _path(view, objective_id)))
    answer = await view.apis.call("program", "GET", _path(view, objective_id))
    return view.page("objectives/review.html", objective=answer.data, progress=found["progress"])


@router.post("/{objective_id}/review")
async def review(view: Manager, objective_id: str) -> Response:
    """Say what was learned, once the period is over."""
    body = {"learned": await view.field("learned")}
    await view.apis.call("program", "POST", _path(view, objective_id, "review"), body)
    return view.go(HERE, toast="objective-reviewed", state="reviewed")


@router.post("/{objective_id}/withdraw")
async def withdraw(view: Manager, objective_id: str) -> Response:
    """Pursue an objective no longer."""
    await view.apis.call("program", "POST", _path(view, objective_id, "withdraw"))
    return view.go(HERE, toast="objective-withdrawn", of=objective_id)


@router.post("/{objective_id}/reopen")
async def reopen(view: Manager, objective_id: str) -> Response:
    """Pursue a withdrawn objective again."""
    await view.apis.call("program", "POST", _path(view, objective_id, "reopen"))
    return view.go(HERE, toast="objective-reopened")


def _path(view: View, objective_id: str, *act: str) -> Any:
    return v1("programs", view.require_program().id, "objectives", objective_id, *act)


async def _form(view: View, aim: Json, version: int | None) -> Response:
    program = view.require_program()
    wanted = {"program_id": program.id, "state": "published", "limit": OFFERED}
    found = await view.gather(
        items=view.apis.get("content", v1("items"), **wanted),
        managers=view.apis.get("program", v1("people"), role="manager", limit=OFFERED),
    )
    chosen = list(aim.get("items", ()))
    latest = [] if isinstance(found["items"], Missing) else found["items"]["items"]
    titles = {one["id"]: view.language.pick({v["language"]: v["title"] for v in one["variants"]}) for one in latest}
    titles |= await titles_of(view, [{"key": one} for one in chosen if one not in titles])
    items = [Option(one, titles.get(one) or one[-6:], None, one in chosen) for one in dict.fromkeys((*chosen, *titles))]
    return view.page(
        "objectives/form.html",
        aim=aim,
        action=view.here,
        version=version,
        use_cases=USE_CASES,
        kpis=KPIS,
        owners=await _owners(view, aim.get("owner_id"), found["managers"]),
        items=items,
    )


async def _owners(view: View, owner_id: str | None, managers: Any) -> list[tuple[str, str]]:
    """Id and name of those who may answer for an objective: managers, oneself, and who does by now."""
    items = [] if isinstance(managers, Missing) else [one for one in managers["items"] if one["active"]]
    known = {view.me.id: view.me.name} | {one["id"]: one["name"] for one in items}
    if owner_id and owner_id not in known:
        known[owner_id] = (await view.names({owner_id})).get(owner_id, {}).get("name", owner_id[-6:])
    return list(known.items())


async def _order(view: View) -> Json:
    """The objective as the form has it; its baseline measured where that is wanted and can be."""
    form, kpi = await view.form(), await view.field("kpi")
    days = {name: await view.field(name) for name in ("starts_on", "ends_on")}
    view.fields = {"from": Place("starts_on"), "to": Place("ends_on"), "items": Place("items")}
    order: Json = {
        "title": await view.field("title"),
        "use_case": await view.field("use_case"),
        "kpi": kpi,
        **days,
        "target": _number(view.language, await view.field("target"), kpi),
        "owner_id": await view.field("owner_id") or None,
        "items": chosen_of(form, "items"),
        "challenges": chosen_of(form, "challenges"),
    }
    if "measure" in form:
        path = v1("programs", view.require_program().id, "baseline")
        found = await view.apis.get("metrics", path, kpi=kpi, **{"from": days["starts_on"], "to": days["ends_on"]})
        if found["value"] is not None:
            return {**order, "baseline": found["value"], "baseline_source": "measured"}
    written = await view.field("baseline")
    kept = await view.field("baseline_source") if written == await view.field("baseline_was") else ""
    return {**order, "baseline": _number(view.language, written, kpi), "baseline_source": kept or "given"}


def _number(language: Language, text: str, kpi: str) -> float | str:
    """The number as the person writes it, a rate in percent; the text itself where it is none, for the API to
    refuse."""
    number = language.read_number(text.strip().removesuffix("%") if kpi in RATES else text)
    if number is None:
        return text
    return round(number / 100, 12) if kpi in RATES else number
