"""Setting a programme up: the steps of a good start, starter templates that are set and taken back, and the content mix
that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import APIRouter
from starlette.responses import Response

from chassis.web.problems import Violation
from herald_contracts.words import CATEGORIES
from services.hub.clients import Json, Refusal, ServiceUnavailable, invalid
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.mixes import recent_items
from services.hub.paths import page, v1
from services.hub.view import Missing, View

router = APIRouter(prefix="/manage/setup")
HERE: Final = "/manage/setup"
STEPS: Final[Mapping[str, str]] = {
    "objectives": "/manage/objectives/new",
    "leaders": "/manage/leaders",
    "volunteers": "/manage/ambassadors",
    "guidelines": "/manage/guidelines",
    "content": "/editor/new",
    "learning": "/manage/lessons",
    "feedback": "/manage/surveys/new",
    "pilot": "/manage/waves",
    "newsletter": "/manage/newsletters",
}
"""The steps in their order, and the page where each is done. `content` is counted here, the others by `program`."""
ENOUGH_CONTENT: Final = 5
ASKED: Final = "/manage/tasks/new"
COUNTED: Final = 100
"""So many of the latest published items are asked for."""
MAX_EXPECTED: Final = 1_000_000
Points = Literal["set", "left", "own", "away", "none", "withdrawn"]
"""What becomes of a template's rules of points: `own` are those that somebody made, which stay; `away` where
`gamification` does not answer, or does not know the programme yet; `withdrawn` where those of before hold again."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a good start, and the page where it is done; `act` says what one does there (`setup.do`)."""

    key: str
    act: str
    path: str
    have: int
    need: int
    done: bool


@router.get("")
async def setup(view: Manager) -> Response:
    """What is there of a good start, what is missing, and templates to begin with."""
    found = await view.gather(
        setup=read_setup(view),
        published=published(view),
        templates=view.apis.get("program", v1("templates"), language=view.language.code),
    )
    known = {} if isinstance(found["setup"], Missing) else found["setup"]
    standing = {one["template"]: one["applied_at"] for one in known.get("templates", ())}
    steps = steps_of(view, found["setup"], found["published"])
    return view.page("setup/setup.html", steps=steps, standing=standing, **found)


def steps_of(view: View, setup: Any, published: Any) -> list[Step]:
    """The steps that this page has words for, in its order. Who is no editor asks one for content, by a task."""
    known = {} if isinstance(setup, Missing) else {one["key"]: one for one in setup["steps"]}
    if not isinstance(published, Missing):
        have = len(published["items"])
        known["content"] = {"have": have, "need": ENOUGH_CONTENT, "done": have >= ENOUGH_CONTENT}
    places = {key: (key, path) for key, path in STEPS.items()}
    if not view.me.has("editor"):
        places["content"] = ("content_ask", ASKED)
    return [
        Step(key, act, path, known[key]["have"], known[key]["need"], known[key]["done"])
        for key, (act, path) in places.items()
        if key in known
    ]


def missing_steps(view: View, setup: Any, published: Any) -> list[Step]:
    """The steps that are not done."""
    return [one for one in steps_of(view, setup, published) if not one.done]


async def read_setup(view: View) -> Any:
    return await view.apis.get("program", v1("programs", view.require_program().id, "setup"))


async def published(view: View) -> Any:
    """The latest published items of the programme."""
    wanted = {"program_id": view.require_program().id, "state": "published", "limit": COUNTED}
    return await view.apis.get("content", v1("items"), **wanted)


@router.get("/templates/{name}")
async def template(view: Manager, name: str, ambassadors: str = "") -> Response:
    """What a template would set, for so many ambassadors, and what it would leave."""
    expected = int(ambassadors) if ambassadors.isascii() and ambassadors.isdigit() else None
    given = expected if expected is not None and 1 <= expected <= MAX_EXPECTED else None
    applied = await _plan(view, name, given)
    points = await _set_points(view, applied["template"]["rules"], dry_run=True)
    return view.page("setup/template.html", applied=applied, points=points, done=False)


async def _plan(view: View, name: str, ambassadors: object) -> Json:
    path = v1("programs", view.require_program().id, "templates", name)
    plan: Json = await view.apis.get("program", path, language=view.language.code, ambassadors=ambassadors)
    return plan


@router.post("/templates/{name}")
async def apply(view: Manager, name: str) -> Response:
    """Set it, and say what was set. The page before has shown it all: with another number of ambassadors than it was
    for, it is shown again first."""
    expected = await _expected(view)
    if expected != await view.field("shown") or await view.field("then") == "look":
        await _plan(view, name, expected or None)  # refuses what no programme has
        query = {"ambassadors": str(expected)} if expected != "" else {}
        return view.go(page("manage", "setup", "templates", name), **query)
    path = v1("programs", view.require_program().id, "templates", name, "apply")
    order = {"language": view.language.code, "ambassadors": await view.whole("planned")}
    applied = (await view.apis.call("program", "POST", path, order)).data
    points = await _set_points(view, applied["template"]["rules"], dry_run=False)
    return view.page("setup/template.html", applied=applied, points=points, done=True)


async def _expected(view: View) -> str:
    """How many ambassadors are expected, in digits; "" where nobody says. Raises Refusal."""
    view.fields = {"ambassadors": Place("ambassadors")}
    text = (await view.field("ambassadors")).strip()
    if not text:
        return ""
    number = view.language.read_number(text)
    if number is None or not number.is_integer():
        raise invalid(Violation("ambassadors", "whole-number", "A whole number is needed."))
    return str(int(number))


@router.get("/templates/{name}/withdraw")
async def plan_withdrawal(view: Manager, name: str) -> Response:
    """What taking a template back would undo, and what would stay."""
    path = v1("programs", view.require_program().id, "templates", name, "withdraw")
    withdrawn = await view.apis.get("program", path, language=view.language.code)
    points = await _take_points_back(view, withdrawn["template"]["rules"], dry_run=True)
    return view.page("setup/withdraw.html", withdrawn=withdrawn, points=points, done=False)


@router.post("/templates/{name}/withdraw")
async def withdraw(view: Manager, name: str) -> Response:
    """Take it back, and say what stays. The page before has shown it all."""
    path = v1("programs", view.require_program().id, "templates", name, "withdraw")
    answer = await view.apis.call("program", "POST", path, params={"language": view.language.code})
    points = await _take_points_back(view, answer.data["template"]["rules"], dry_run=False)
    return view.page("setup/withdraw.html", withdrawn=answer.data, points=points, done=True)


async def _set_points(view: View, rules: Sequence[Json], *, dry_run: bool) -> Points:
    """Set a template's rules of points where nobody made others, or say what would become of them."""
    if not rules:
        return "none"
    path = v1("programs", view.require_program().id, "rules")
    try:
        found = await view.apis.call("gamification", "GET", path)
        latest, first = found.data["items"][0], found.data["items"][-1]
        if latest["rules"] == rules:
            return "left"
        if latest["version"] > 1 and (first["version"] > 1 or latest["rules"] != first["rules"]):
            return "own"
        if not dry_run:
            await view.apis.call("gamification", "POST", path, {"rules": rules}, version=found.version)
    except (ServiceUnavailable, Refusal):
        return "away"
    return "set"


async def _take_points_back(view: View, rules: Sequence[Json], *, dry_run: bool) -> Points:
    """Where a template's rules of points hold, let those of before hold again, or say what would become of them. Points
    that were given stay."""
    if not rules:
        return "none"
    path = v1("programs", view.require_program().id, "rules")
    try:
        found = await view.apis.call("gamification", "GET", path)
        versions = found.data["items"]
        if len(versions) == 1 or versions[0]["rules"] == versions[-1]["rules"]:
            return "none"
        if versions[0]["rules"] != rules:
            return "own"
        if not dry_run:
            order = {"rules": versions[1]["rules"]}
            await view.apis.call("gamification", "POST", path, order, version=found.version)
    except (ServiceUnavailable, Refusal):
        return "away"
    return "withdrawn"


@router.get("/mix")
async def mix(view: Manager) -> Response:
    """The content mix that is wanted, beside that of what was published in the last weeks."""
    path = v1("programs", view.require_program().id, "mix")
    wanted = await view.apis.call("program", "GET", path)
    found = await view.gather(published=recent_items(view))
    items = [] if isinstance(found["published"], Missing) else found["published"]
    counts = {one: sum(item["category"] == one for item in items) for one in CATEGORIES}
    return view.page(
        "setup/mix.html",
        shares=wanted.data["shares"],
        version=wanted.version,
        categories=CATEGORIES,
        counts=counts,
        total=len(items),
        **found,
    )


@router.post("/mix")
async def set_mix(view: Manager) -> Response:
    """Say which mix is wanted; without shares, none is."""
    shares: Json = {}
    for one in CATEGORIES:
        text = (await view.field(f"share_{one}")).strip().removesuffix("%").strip()
        if text:
            number = view.language.read_number(text)
            shares[one] = int(number) if number is not None and number.is_integer() else text
    view.fields = {"shares": Place(f"share_{CATEGORIES[0]}")}
    view.fields |= {f"shares.{one}": Place(f"share_{one}") for one in CATEGORIES}
    path = v1("programs", view.require_program().id, "mix")
    await view.apis.call("program", "PUT", path, {"shares": shares}, version=await view.whole("version"))
    return view.go(HERE, toast="mix-saved")
