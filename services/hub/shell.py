"""What is around the pages: navigation, the installable application and its offline page."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.assets import respond
from services.hub.dependencies import Visitor
from services.hub.person import Person

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Place:
    """A destination: its path, the key of its name, its icon."""

    path: str
    key: str
    icon: str


AMBASSADOR = (
    Place("/feed", "nav.feed", "feed"),
    Place("/posts", "nav.posts", "posts"),
    Place("/points", "nav.points", "points"),
    Place("/leaderboard", "nav.leaderboard", "leaderboard"),
)
EDITOR = (Place("/editor", "nav.editor", "content"), Place("/editor/feeds", "nav.sources", "sources"))
MANAGER = (
    Place("/manage", "nav.dashboard", "dashboard"),
    Place("/manage/ambassadors", "nav.ambassadors", "people"),
    Place("/manage/program", "nav.program", "target"),
)
GUARD = (Place("/manage/guardrails", "nav.guardrails", "shield"),)
PEOPLE = (Place("/manage/import", "nav.import", "import"), Place("/manage/history", "nav.history", "history"))
ADMIN = (
    Place("/admin/people", "nav.people", "people"),
    Place("/admin/audit", "nav.audit", "book"),
    Place("/admin/deadletters", "nav.dead_letters", "dead_letters"),
)
MINE = (Place("/me", "nav.me", "me"),)


def navigation(person: Person | None) -> list[tuple[str, tuple[Place, ...]]]:
    """The groups of places that this person has, the one they work in most first."""
    if person is None:
        return []
    groups: list[tuple[str, tuple[Place, ...]]] = []
    if person.has("manager"):
        groups.append(("nav.group.manager", (*MANAGER, *(PEOPLE if person.everywhere("manager") else ()), *GUARD)))
    if person.has("editor"):
        groups.append(("nav.group.editor", EDITOR))
    if person.is_ambassador:
        groups.append(("nav.group.ambassador", AMBASSADOR))
    if person.has("admin"):
        shared = () if person.has("manager") else (*PEOPLE, *GUARD)
        groups.append(("nav.group.admin", (*ADMIN, *shared)))
    return groups


def home(person: Person) -> str:
    """Where a person arrives: at the first of their places, or at the invitation to take part."""
    groups = navigation(person)
    return groups[0][1][0].path if groups else "/join"


@router.get("/manifest.webmanifest")
async def manifest(view: Visitor) -> Response:
    """What makes the application installable."""
    document = {
        "id": "/",
        "name": "Herald",
        "short_name": "Herald",
        "description": str(view.language.text("app.description")),
        "lang": view.language.code,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f7f4ee",
        "theme_color": "#4531c4",
        "icons": [
            {"src": view.context.assets.url("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {
                "src": view.context.assets.url("icon-maskable.svg"),
                "sizes": "any",
                "type": "image/svg+xml",
                "purpose": "maskable",
            },
        ],
        "shortcuts": [{"name": str(view.language.text("nav.feed")), "url": "/feed"}],
    }
    return Response(json.dumps(document), media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})


@router.get("/sw.js")
async def worker(view: Visitor) -> Response:
    """The service worker; it must come from the root to have the whole application in its scope."""
    asset = view.context.assets.named("worker.js")
    return respond(view.request, asset, "no-cache")


@router.get("/shell.json")
async def shell(view: Visitor) -> Response:
    """What the service worker keeps: it asks again whenever it is installed."""
    names = ("herald.css", "herald.js", "htmx.js", "figtree.ttf", "icon.svg")
    kept = {
        "version": view.context.assets.version,
        "files": [*(view.context.assets.url(name) for name in names), "/offline"],
    }
    return Response(json.dumps(kept), media_type="application/json", headers={"Cache-Control": "no-cache"})


@router.get("/offline")
async def offline(view: Visitor) -> Response:
    """Shown without a network for what was never read before; the same for everybody."""
    view.person, view.session = None, None
    return view.page("offline.html")
