"""The programme's team: its calendar, its tasks, and what whoever takes over should know."""

from __future__ import annotations

import calendar as months
import re
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import supported
from services.hub.calendar_file import calendar_file
from services.hub.clients import Json
from services.hub.confirmation import ask, is_confirmed
from services.hub.content import variant_in
from services.hub.dependencies import Team, Visitor
from services.hub.language import Language, known_zone
from services.hub.mixes import balance_of
from services.hub.pages.setup import published
from services.hub.paging import read_list
from services.hub.paths import page, v1
from services.hub.view import Missing, View

router = APIRouter()
CALENDAR: Final = "/manage/calendar"
TASKS: Final = "/manage/tasks"
STATES: Final = ("open", "done")
KINDS: Final = ("content", "lesson", "challenge", "recognition", "newsletter", "survey", "wave", "event", "other")
PAGE: Final = 20
OWNERS: Final = 100
_MONTH: Final = re.compile(r"(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])")
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "task": ("manage", "tasks"),
    "objective_starts": ("manage", "objectives"),
    "objective_ends": ("manage", "objectives"),
    "survey_opens": ("manage", "surveys"),
    "survey_closes": ("manage", "surveys"),
    "lesson": ("manage", "lessons"),
    "wave_starts": ("manage", "waves"),
    "wave_ends": ("manage", "waves"),
    "newsletter": ("manage", "newsletters"),
    "content_published": ("editor", "items"),
    "content_expires": ("editor", "items"),
}
"""Where an entry of the calendar leads, by its kind. One of a kind that is not here leads nowhere."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A month of a calendar: its weeks of days from Monday on (None: of another month), and the entries by day."""

    first: date
    last: date
    weeks: list[list[date | None]]
    days: dict[date, list[Json]]

    @property
    def before(self) -> str:
        return (self.first - timedelta(days=1)).isoformat()[:7]

    @property
    def after(self) -> str:
        return (self.last + timedelta(days=1)).isoformat()[:7]


def shown_month(name: str, today: date) -> tuple[date, date]:
    """The first and last day of the month `YYYY-MM`; of the present one where it is none."""
    first = date.fromisoformat(f"{name}-01") if _MONTH.fullmatch(name) else today.replace(day=1)
    return first, first.replace(day=months.monthrange(first.year, first.month)[1])


def laid_out(first: date, last: date, entries: Sequence[Json]) -> Shown:
    days: dict[date, list[Json]] = defaultdict(list)
    for one in sorted(entries, key=lambda one: str(one["day"])):
        days[date.fromisoformat(one["day"])].append(one)
    weeks = [
        [date(first.year, first.month, day) if day else None for day in week]
        for week in months.Calendar().monthdayscalendar(first.year, first.month)
    ]
    return Shown(first, last, weeks, days)


def _today(view: View) -> date:
    return view.now.astimezone(known_zone(view.language.zone)).date()


@router.get(CALENDAR)
async def calendar(view: Team, month: str = "") -> Response:
    """A month: what is to be done, what begins and ends, and what is published."""
    today = _today(view)
    first, last = shown_month(month, today)
    path = v1("programs", view.require_program().id, "calendar")
    span = {"from": first.isoformat(), "to": last.isoformat()}
    found = await view.gather(
        calendar=view.apis.get("program", path, language=view.language.code, **span),
        published=published(view),
        mix=balance_of(view),
    )
    entries = [] if isinstance(found["calendar"], Missing) else list(found["calendar"]["items"])
    entries += _content(view.language, found["published"])
    entries = [one for one in entries if span["from"] <= one["day"] <= span["to"]]
    owners = {one["owner_id"] for one in entries if one.get("owner_id")}
    shown = laid_out(first, last, entries)
    return view.page(
        "team/calendar.html",
        shown=shown,
        today=today,
        path_of=_path_of(view),
        weekdays=weekdays(view.language),
        names=await view.names(owners) if owners else {},
        **found,
    )


def weekdays(language: Language) -> list[str]:
    names = language.locale.days["format"]["abbreviated"]
    return [str(names[number]) for number in range(7)]


def _content(language: Language, found: Any) -> list[Json]:
    """The days on which items were published and expire, in the programme's time zone."""
    if isinstance(found, Missing):
        return []
    zone, entries = known_zone(language.zone), []
    for item in found["items"]:
        title = variant_in(item, language.code)["title"] if item["variants"] else ""
        for kind, moment in (("content_published", item["published_at"]), ("content_expires", item["expires_at"])):
            day = _day_of(moment, zone)
            if day:
                entries.append(
                    {"day": day, "kind": kind, "title": title, "id": item["id"], "owner_id": None, "done": False}
                )
    return entries


def _day_of(moment: str | None, zone: Any) -> str | None:
    if moment is None:
        return None
    try:
        return datetime.fromisoformat(moment).astimezone(zone).date().isoformat()
    except (ValueError, OverflowError):
        return None


def _path_of(view: View) -> Any:
    def path_of(entry: Json) -> str | None:
        """Where it leads for this person; None where it leads nowhere."""
        segments = PAGES.get(entry["kind"])
        role = {"tasks": None, "items": "editor"}.get(segments[1], "manager") if segments else "nobody"
        if segments is None or "/" in entry["id"] or not entry["id"] or (role and not view.me.has(role)):
            return None
        return page(*segments, entry["id"])

    return path_of


# --- the secret address -------------------------------------------------------------------------------------------


@router.get(CALENDAR + "/feed")
async def feed(view: Team) -> Response:
    """Whether one has a secret address of the calendar."""
    found = await view.gather(feed=view.apis.get("program", _feed(view)))
    return view.page("team/feed.html", address=None, **found)


@router.post(CALENDAR + "/feed")
async def share(view: Team) -> Response:
    """A new secret address, shown this once; the one of before leads nowhere from now on."""
    answer = await view.apis.call("program", "POST", _feed(view), {"language": view.language.code})
    address = f"{view.context.settings.public_url}/calendar/{answer.data['secret']}.ics"
    return view.page("team/feed.html", address=address, feed={"since": None})


@router.post(CALENDAR + "/feed/delete")
async def unshare(view: Team) -> Response:
    """The address leads nowhere any more."""
    await view.apis.call("program", "DELETE", _feed(view))
    return view.go(CALENDAR + "/feed", toast="calendar-unshared")


def _feed(view: View) -> Any:
    return v1("programs", view.require_program().id, "calendar", "feed")


@router.get("/calendar/{secret}.ics")
async def file(view: Visitor, secret: str) -> Response:
    """The calendar for a calendar program, which signs in nowhere: whoever has the secret reads it."""
    found = await view.apis.get("program", v1("calendars", secret))
    language = Language(supported(found["language"]), zone=found["time_zone"])
    content = calendar_file(found, language, view.now, view.context.settings.public_url + CALENDAR)
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": 'inline; filename="herald.ics"'}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


# --- tasks --------------------------------------------------------------------------------------------------------


@router.get(TASKS)
async def tasks(
    view: Team, state: str = "open", mine: str = "", query: str = "", cursor: str | None = None
) -> Response:
    """What the team has to do, what is due first first."""
    state = state if state in STATES else "open"
    path = v1("programs", view.require_program().id, "tasks")
    wanted = {"state": state, "query": query, "owner_id": view.me.id if mine else None, "limit": PAGE}

    def page_of(cursor: str | None) -> Awaitable[Json]:
        return view.apis.get("program", path, cursor=cursor, **wanted)

    found = await view.gather(tasks=read_list(view, cursor, page_of))
    shown = [] if isinstance(found["tasks"], Missing) else found["tasks"]["items"]
    people = {one[name] for one in shown for name in ("owner_id", "done_by") if one.get(name)}
    return view.page(
        "team/_tasks.html" if cursor and view.is_fragment else "team/tasks.html",
        state=state,
        states=STATES,
        mine=bool(mine),
        query=query,
        today=_today(view).isoformat(),
        names=await view.names(people) if people else {},
        **found,
    )


@router.get(TASKS + "/new")
async def new(view: Team) -> Response:
    """A further task."""
    return await _form(view, {"owner_id": view.me.id}, None)


@router.post(TASKS + "/new")
async def create(view: Team) -> Response:
    """Add a task; a form that is sent twice adds one."""
    order = await _order(view)
    path = v1("programs", view.require_program().id, "tasks")
    await view.apis.call("program", "POST", path, order, key=await view.key(order))
    return view.go(TASKS, toast="task-saved")


@router.get(TASKS + "/{task_id}")
async def task(view: Team, task_id: str) -> Response:
    """One task, to change it."""
    answer = await view.apis.call("program", "GET", _task(view, task_id))
    return await _form(view, answer.data, answer.version)


@router.post(TASKS + "/{task_id}")
async def change(view: Team, task_id: str) -> Response:
    """Change a task."""
    version = await view.whole("version")
    await view.apis.call("program", "PUT", _task(view, task_id), await _order(view), version=version)
    return view.go(TASKS, toast="task-saved")


@router.post(TASKS + "/{task_id}/finish")
async def finish(view: Team, task_id: str) -> Response:
    """Say that it is done."""
    await view.apis.call("program", "POST", _task(view, task_id, "finish"))
    return view.go(TASKS, toast="task-done", of=task_id)


@router.post(TASKS + "/{task_id}/reopen")
async def reopen(view: Team, task_id: str) -> Response:
    """Take that back."""
    await view.apis.call("program", "POST", _task(view, task_id, "reopen"))
    return view.go(TASKS, toast="task-reopened")


@router.post(TASKS + "/{task_id}/delete")
async def delete(view: Team, task_id: str) -> Response:
    """Delete a task."""
    if not await is_confirmed(view):
        return await ask(view, "task-delete", back=page("manage", "tasks", task_id), danger=True)
    await view.apis.call("program", "DELETE", _task(view, task_id))
    return view.go(TASKS, toast="task-deleted")


def _task(view: View, task_id: str, *act: str) -> Any:
    return v1("programs", view.require_program().id, "tasks", task_id, *act)


async def _form(view: View, one: Json, version: int | None) -> Response:
    return view.page(
        "team/task.html", one=one, version=version, action=view.here, kinds=KINDS, owners=await _owners(view, one)
    )


async def _owners(view: View, one: Json) -> list[tuple[str, str]]:
    """Id and name of those who may have a task: the team as far as this person may list it, themselves, and who has
    it."""
    calls = {role: view.apis.get("program", v1("people"), role=role, limit=OWNERS) for role in ("manager", "editor")}
    found = await view.gather(**calls)
    listed = [p for some in found.values() if not isinstance(some, Missing) for p in some["items"] if p["active"]]
    known = {view.me.id: view.me.name} | {p["id"]: p["name"] for p in listed}
    owner = one.get("owner_id")
    if owner and owner not in known:
        known[owner] = (await view.names({owner})).get(owner, {}).get("name", owner[-6:])
    return list(known.items())


async def _order(view: View) -> Json:
    return {
        "title": await view.field("title"),
        "kind": await view.field("kind", "other"),
        "due_on": await view.field("due_on"),
        "owner_id": await view.field("owner_id") or None,
        "notes": await view.field("notes"),
    }


# --- hand-over ----------------------------------------------------------------------------------------------------


@router.get("/manage/handover")
async def handover(view: Team) -> Response:
    """What whoever takes the programme over should know."""
    answer = await view.apis.call("program", "GET", _handover(view))
    by = answer.data["written_by"]
    names = await view.names({by}) if by else {}
    return view.page("team/handover.html", notes=answer.data, version=answer.version, names=names)


@router.post("/manage/handover")
async def write(view: Team) -> Response:
    """Write it."""
    body = {"text": await view.field("text")}
    await view.apis.call("program", "PUT", _handover(view), body, version=await view.whole("version"))
    return view.go("/manage/handover", toast="handover-saved")


def _handover(view: View) -> Any:
    return v1("programs", view.require_program().id, "handover")
