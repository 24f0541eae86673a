"""Waves of a programme: a pilot, then others; what each is to show, what came of it, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.language import Language, known_zone
from services.hub.lists import Kind, Option, chosen_of, offers
from services.hub.paths import page, v1
from services.hub.view import Missing, View

router = APIRouter(prefix="/manage/waves")
HERE: Final = "/manage/waves"
KINDS: Final[tuple[Kind, ...]] = ("countries", "teams", "sites")
MEASURES: Final = ("participation", "retention", "enps")
OFFERED: Final = 100
"""So many ambassadors, and so many of the programme's managers, can be chosen by name."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of a wave as `metrics` answers it, the same of the wave before (None: there is none), how much they
    differ, and the wave's target."""

    measure: str
    figure: Json
    before: Json | None
    difference: Json | None
    target: float | None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one, or without a figure."""
        value = self.figure.get("value")
        return None if value is None or self.target is None else value >= self.target

    @property
    def clear(self) -> bool:
        """Whether chance alone hardly explains the difference."""
        return self.difference is not None and not self.difference["low"] <= 0 <= self.difference["high"]


@router.get("")
async def waves(view: Manager) -> Response:
    """All waves of the programme, the last one first: there are few."""
    found = await view.gather(waves=view.apis.get("program", _path(view)))
    return view.page("waves/list.html", **found)


@router.get("/new")
async def new(view: Manager) -> Response:
    """A further wave; the first one is called a pilot."""
    known = await view.apis.get("program", _path(view))
    name = "" if known["items"] else str(view.language.text("waves.pilot"))
    return await _form(view, {"name": name}, None, first=not known["items"])


@router.post("/new")
async def create(view: Manager) -> Response:
    """Plan it; a form that is sent twice plans one."""
    order = await _order(view, None)
    made = await view.apis.call("program", "POST", _path(view), order, key=await view.key(order))
    return view.go(page("manage", "waves", made.data["id"]), toast="wave-saved")


@router.get("/{wave_id}")
async def wave(view: Manager, wave_id: str) -> Response:
    """What it is to show, what came of it beside the wave before, and the decision."""
    found = await view.apis.get("program", _path(view, wave_id))
    calls: dict[str, Any] = {"waves": view.apis.get("program", _path(view))}
    if found["state"] != "planned":
        calls["figures"] = view.apis.get("metrics", _path(view, wave_id))
        calls["managers"] = view.apis.get("program", v1("people"), role="manager", limit=OFFERED)
    got = {"figures": None, "managers": None, **await view.gather(**calls)}
    one = found["wave"]
    people = {*one["decided_by"], *one["criteria"]["people"][:OFFERED], *filter(None, [one["recorded_by"]])}
    names = await view.names(people) if people else {}
    others = [] if isinstance(got["waves"], Missing) else got["waves"]["items"]
    return view.page(
        "waves/wave.html",
        found=found,
        wave=one,
        compared=compared(got["figures"], one["targets"]),
        figures=got["figures"],
        titles={other["wave"]["id"]: other["wave"]["name"] for other in others},
        criteria=_criteria(view.language, one["criteria"], names),
        names=names,
        deciders=_deciders(view, got["managers"]),
        due=date.fromisoformat(one["starts_on"]) <= view.now.astimezone(known_zone(view.language.zone)).date(),
    )


def compared(figures: Any, targets: Json) -> list[Compared]:
    """The figures of a wave beside those of the one before; nothing where `metrics` did not answer."""
    if figures is None or isinstance(figures, Missing):
        return []
    before = figures.get("before") or {}
    return [
        Compared(one, figures[one], before.get(one), figures["differences"].get(one), targets.get(one))
        for one in MEASURES
    ]


@router.get("/{wave_id}/change")
async def change_form(view: Manager, wave_id: str) -> Response:
    """What can still be changed."""
    answer = await view.apis.call("program", "GET", _path(view, wave_id))
    return await _form(view, answer.data["wave"], answer.version)


@router.post("/{wave_id}/change")
async def change(view: Manager, wave_id: str) -> Response:
    """Change it; who enters and when it begins stays once it is started."""
    version = await view.whole("version")
    before = (await view.apis.get("program", _path(view, wave_id)))["wave"]
    order = await _order(view, before if before["state"] == "running" else None)
    await view.apis.call("program", "PUT", _path(view, wave_id), order, version=version)
    return view.go(page("manage", "waves", wave_id), toast="wave-saved")


@router.post("/{wave_id}/start")
async def start(view: Manager, wave_id: str) -> Response:
    """Put those who meet the criteria into its cohort."""
    if not await is_confirmed(view):
        found = await view.apis.get("program", _path(view, wave_id))
        count = int(found["matching"] or 0)
        notes = [str(view.language.text("ask.wave-start.what", count=count))]
        back = page("manage", "waves", wave_id)
        return await ask(view, "wave-start", back=back, count=count, notes=notes, undo=True, name=found["wave"]["name"])
    await view.apis.call("program", "POST", _path(view, wave_id, "start"))
    return view.go(page("manage", "waves", wave_id), toast="wave-started", of=wave_id)


@router.post("/{wave_id}/withdraw")
async def withdraw(view: Manager, wave_id: str) -> Response:
    """Take back that it was started."""
    await view.apis.call("program", "POST", _path(view, wave_id, "withdraw"))
    return view.go(page("manage", "waves", wave_id), toast="wave-withdrawn")


@router.post("/{wave_id}/decision")
async def decide(view: Manager, wave_id: str) -> Response:
    """Record a go or no-go, with reasons and names."""
    form = await view.form()
    body: Json = {
        "decision": await view.field("decision"),
        "reasons": await view.field("reasons"),
        "decided_by": chosen_of(form, "decided_by"),
    }
    complete = body["decision"] in ("go", "no_go") and body["reasons"].strip() and body["decided_by"]
    if complete and not await is_confirmed(view):
        notes = [str(view.language.word("decision", body["decision"])), str(view.language.text("ask.wave-decide.what"))]
        return await ask(view, "wave-decide", back=page("manage", "waves", wave_id), notes=notes, undo=True)
    await view.apis.call("program", "POST", _path(view, wave_id, "decision"), body)
    return view.go(page("manage", "waves", wave_id), toast="wave-decided", of=wave_id)


@router.post("/{wave_id}/reopen")
async def reopen(view: Manager, wave_id: str) -> Response:
    """Take a decision back."""
    await view.apis.call("program", "POST", _path(view, wave_id, "reopen"))
    return view.go(page("manage", "waves", wave_id), toast="wave-reopened")


@router.post("/{wave_id}/delete")
async def delete(view: Manager, wave_id: str) -> Response:
    """Delete a planned wave."""
    if not await is_confirmed(view):
        return await ask(view, "wave-delete", back=page("manage", "waves", wave_id), danger=True)
    await view.apis.call("program", "DELETE", _path(view, wave_id))
    return view.go(HERE, toast="wave-deleted")


def _path(view: View, *more: str) -> Any:
    return v1("programs", view.require_program().id, "waves", *more)


async def _form(view: View, wave: Json, version: int | None, *, first: bool = False) -> Response:
    program = view.require_program()
    criteria = wave.get("criteria") or {}
    running = wave.get("state") == "running"
    offered: dict[str, list[Option]] = {}
    people: list[Option] = []
    if not running:
        offered = await offers(view, "ambassadors", **{kind: criteria.get(kind, ()) for kind in KINDS})
        asked = view.apis.get("program", v1("programs", program.id, "ambassadors"), status="joined", limit=OFFERED)
        found = (await view.gather(ambassadors=asked))["ambassadors"]
        items = [] if isinstance(found, Missing) else found["items"]
        chosen = list(criteria.get("people", ()))
        names = {one["person_id"]: one["name"] for one in items}
        unknown = [one for one in chosen if one not in names]
        named = await view.names(set(unknown)) if unknown else {}
        names |= {one: named.get(one, {}).get("name", one[-6:]) for one in unknown}
        people = [Option(one, names[one], None, one in chosen) for one in dict.fromkeys((*chosen, *names))]
    return view.page(
        "waves/form.html",
        wave=wave,
        version=version,
        action=view.here,
        criteria=criteria,
        running=running,
        first=first,
        offers=offered,
        people=people,
        measures=MEASURES,
    )


async def _order(view: View, fixed: Json | None) -> Json:
    """The wave as the form has it; who enters and its first day as they are where they are `fixed`."""
    form = await view.form()
    view.fields = {f"targets.{one}": Place(one) for one in MEASURES}
    view.fields |= {"criteria": Place("everybody"), "criteria.people": Place("people")}
    view.fields |= {f"criteria.{kind}": Place(kind) for kind in KINDS}
    criteria: Json = {
        **{kind: chosen_of(form, kind) for kind in KINDS},
        "people": chosen_of(form, "people"),
        "leaders_only": "leaders_only" in form,
        "everybody": "everybody" in form,
    }
    return {
        "name": await view.field("name"),
        "goal": await view.field("goal"),
        "changes": await view.field("changes"),
        "targets": {one: _target(view.language, one, await view.field(one)) for one in MEASURES},
        "starts_on": fixed["starts_on"] if fixed else await view.field("starts_on"),
        "ends_on": await view.field("ends_on"),
        "criteria": fixed["criteria"] if fixed else criteria,
    }


def _target(language: Language, measure: str, text: str) -> float | str | None:
    """The number as the person writes it, shares in percent; the text itself where it is none, for the API to
    refuse."""
    if not text.strip():
        return None
    number = language.read_number(text.strip().removesuffix("%"))
    if number is None:
        return text
    return number if measure == "enps" else round(number / 100, 12)


def _criteria(language: Language, criteria: Json, names: Mapping[str, Json]) -> list[str]:
    """Who enters, in words."""
    if criteria["everybody"]:
        return [str(language.text("waves.everybody"))]
    countries = [language.country_name(one) for one in criteria["countries"]]
    leaders = [str(language.text("waves.leaders"))] if criteria["leaders_only"] else []
    people = [names.get(one, {}).get("name", "–") for one in criteria["people"]]
    return [*leaders, *countries, *criteria["teams"], *criteria["sites"], *people]


def _deciders(view: View, managers: Any) -> Sequence[Option]:
    """Who may have decided: managers and oneself, who is ticked."""
    known = [] if managers is None or isinstance(managers, Missing) else managers["items"]
    items = [one for one in known if one["active"]]
    names = {view.me.id: view.me.name} | {one["id"]: one["name"] for one in items}
    return [Option(id, name, None, id == view.me.id) for id, name in names.items()]
