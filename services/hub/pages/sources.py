"""Feeds whose entries become items for review."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from chassis.web.problems import Violation
from services.hub.clients import invalid
from services.hub.content import CATEGORIES
from services.hub.dependencies import Editor
from services.hub.lists import languages
from services.hub.paths import v1

router = APIRouter(prefix="/editor/feeds")
MAX_FILE = 5 * 1024 * 1024


@router.get("")
async def feeds(view: Editor) -> Response:
    found = await view.gather(
        feeds=view.apis.get("content", v1("feeds"), program_id=view.program.id if view.program else None)
    )
    return view.page("editor/feeds.html", categories=CATEGORIES, spoken=languages(view.language), **found)


@router.post("")
async def add(view: Editor) -> Response:
    view.about = "feed"
    order = {
        "program_id": view.program.id if view.program else "",
        "url": (await view.field("url")).strip(),
        "language": await view.field("language", view.language.code),
        "rule": await view.field("rule", "review"),
        "category": await view.field("category", "sector_news"),
    }
    await view.apis.call("content", "POST", v1("feeds"), order)
    return view.go("/editor/feeds", toast="feed-added")


@router.post("/file")
async def upload(view: Editor) -> Response:
    """A feed that was saved as a file."""
    view.about = "feed"
    file = (await view.form()).get("file")
    if not isinstance(file, UploadFile) or not file.size:
        raise invalid(Violation("file", "required", "A file is needed."))
    data = await file.read(MAX_FILE + 1)
    params = {
        "program_id": view.program.id if view.program else "",
        "language": await view.field("language", view.language.code),
    }
    await view.apis.call("content", "POST", v1("feeds", "file"), data, params=params, media_type=media_type(data))
    return view.go("/editor/feeds", toast="feed-added")


@router.post("/{feed_id}/refresh")
async def refresh(view: Editor, feed_id: str) -> Response:
    await view.apis.call("content", "POST", v1("feeds", feed_id, "refresh"))
    return view.go("/editor/feeds", toast="feed-refreshed")


def media_type(data: bytes) -> str:
    """What a file is sent as; the API reads for itself what it really is."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "application/feed+json"
    head = data[:2000].lower()
    return "application/atom+xml" if b"<feed" in head else "application/rss+xml"
