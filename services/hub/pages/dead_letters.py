"""Dead letters: what a service could not process, why, and what an administrator does about it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from markupsafe import Markup
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Admin
from services.hub.paging import read_list
from services.hub.paths import page, v1
from services.hub.view import View, is_missing

router = APIRouter(prefix="/admin/deadletters")
SERVICES = ("content", "gamification", "metrics", "program", "sharing")
PAGE = 30
SHOWN = 20
Service = Literal["content", "gamification", "metrics", "program", "sharing"]
Act = Literal["replay", "drop"]
DeadLetterId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f-]+$")]


@dataclass(frozen=True, slots=True)
class Group:
    """Open dead letters of a service that have a type and a rule in common."""

    service: str
    event_type: str
    rule: str
    count: int

    @property
    def path(self) -> str:
        return f"/admin/deadletters/{self.service}?" + urlencode({"type": self.event_type, "rule": self.rule})


@router.get("")
async def groups(view: Admin, service: str = "", type: str = "", rule: str = "") -> Response:
    """All open dead letters, in groups by service, type and error."""
    answers = await view.gather(**{one: view.apis.get(one, v1("deadletters"), limit=1) for one in SERVICES})
    found = [
        Group(one, group["event_type"], group["rule"], group["count"])
        for one, answer in answers.items()
        if not is_missing(answer)
        for group in answer["groups"]
    ]
    shown = [
        one for one in found if service in ("", one.service) and type in ("", one.event_type) and rule in ("", one.rule)
    ]
    return view.page(
        "admin/dead_letters.html",
        groups=sorted(shown, key=lambda one: (-one.count, one.service, one.event_type, one.rule)),
        total=sum(one.count for one in shown),
        services=SERVICES,
        types=sorted({one.event_type for one in found}),
        rules=sorted({one.rule for one in found}),
        chosen={"service": service, "type": type, "rule": rule},
        down=[one for one, answer in answers.items() if is_missing(answer)],
    )


@router.get("/{service}")
async def dead_letters(
    view: Admin, service: Service, type: str = "", rule: str = "", cursor: str | None = None
) -> Response:
    """The dead letters of a service, of one type and error or of all, in the order of their origin."""

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get(service, v1("deadletters"), type=type, rule=rule, cursor=cursor, limit=PAGE)

    found = await read_list(view, cursor, page_of)
    template = "admin/_dead_letters.html" if cursor and view.is_fragment else "admin/dead_letters_of.html"
    return view.page(template, service=service, type=type, rule=rule, found=found)


@router.get("/{service}/{dead_letter_id}")
async def dead_letter(view: Admin, service: Service, dead_letter_id: DeadLetterId) -> Response:
    """One dead letter, with its record."""
    found = await view.apis.get(service, v1("deadletters", dead_letter_id))
    return view.page("admin/dead_letter.html", service=service, dead_letter=found)


@router.post("/{service}/{act}")
async def act(view: Admin, service: Service, act: Act) -> Response:
    """First what would be done; done once that page confirms it."""
    form = {name: await view.field(name) for name in ("id", "type", "rule")}
    order: Json = {"ids": [form["id"]] if form["id"] else [], "type": form["type"], "rule": form["rule"]}
    confirmed = await is_confirmed(view)
    if confirmed:
        order |= {"before": await view.field("before") or None, "dry_run": False}
    done = (await view.apis.call(service, "POST", v1("deadletters", act), order)).data
    if not confirmed or done["left"]:
        return await _ask(view, service, act, form, done)
    return view.go("/admin/deadletters", toast=f"dead-letters-{act}", count=str(done["done"]))


async def _ask(view: View, service: str, act: str, form: Mapping[str, str], done: Json) -> Response:
    """How many it is about and the first of them; where not all could be done at once, about the rest."""
    notes = [
        view.language.text(f"dead_letters.would_{act}", count=done["left"])
        if done["dry_run"]
        else view.language.text("dead_letters.so_far", count=done["done"])
    ]
    notes.append(view.language.text(f"dead_letters.what_{act}"))
    if done["not_whole"]:
        notes.append(view.language.text("dead_letters.some_not_whole", count=done["not_whole"]))
    return await ask(
        view,
        f"dead_letters_{act}",
        back=page("admin", "deadletters", service),
        count=done["left"],
        names=[_named(view, one) for one in done["items"][:SHOWN]] if done["dry_run"] else (),
        notes=notes,
        danger=act == "drop",
        carry={**form, "before": done["before"]},
    )


def _named(view: View, dead_letter: Json) -> Markup:
    kind = dead_letter["event_type"] or view.language.text("dead_letters.no_type")
    place = "{topic}/{partition}/{offset}".format_map(dead_letter)
    why = f"dead_letters.rule.{dead_letter['rule']}"
    return Markup(" · ").join((kind, view.language.text(why if view.language.has(why) else "dead_letters.one"), place))
