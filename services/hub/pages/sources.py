"""Feeds whose entries become items for review."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from chassis.web.problems import Violation
from services.hub.clients import Json, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.content import CATEGORIES
from services.hub.dependencies import Editor
from services.hub.lists import languages
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1

router = APIRouter(prefix="/editor/feeds")
PAGE = 20
MAX_FILE = 5 * 1024 * 1024


@router.get("")
async def feeds(view: Editor, query: str = "", cursor: str | None = None) -> Response:
    program_id = view.program.id if view.program else None

    def page_of(cursor: str | None) -> Awaitable[Json]:
        wanted = {"program_id": program_id, "query": query.strip()[:MAX_QUERY]}
        return view.apis.get("content", v1("feeds"), **wanted, cursor=cursor, limit=PAGE)

    found = await view.gather(feeds=read_list(view, cursor, page_of))
    template = "editor/_feeds.html" if cursor and view.is_fragment else "editor/feeds.html"
    return view.page(template, categories=CATEGORIES, spoken=languages(view.language), query=query, **found)


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


@router.post("/{feed_id}/remove")
async def remove(view: Editor, feed_id: str) -> Response:
    """The feed is read no more, and what it brought stays."""
    if not await is_confirmed(view):
        feed = await view.apis.get("content", v1("feeds", feed_id))
        name = feed["title"] or feed["url"] or str(view.language.text("feeds.file"))
        notes = [str(view.language.text("ask.feed_remove.what"))]
        return await ask(
            view, "feed_remove", back="/editor/feeds", names=[feed["url"] or name], notes=notes, danger=True, name=name
        )
    await view.apis.call("content", "DELETE", v1("feeds", feed_id))
    return view.go("/editor/feeds", toast="feed-removed")


@router.post("/{feed_id}/refresh")
async def refresh(view: Editor, feed_id: str) -> Response:
    await view.apis.call("content", "POST", v1("feeds", feed_id, "refresh"))
    return view.go("/editor/feeds", toast="feed-refreshed")


@router.post("/{feed_id}/{act}")
async def turn(view: Editor, feed_id: str, act: Literal["pause", "resume"]) -> Response:
    """Read a feed no more by itself, or again."""
    await view.apis.call("content", "POST", v1("feeds", feed_id, act))
    return view.go("/editor/feeds", toast=f"feed-{act}", of=feed_id)


def media_type(data: bytes) -> str:
    """What a file is sent as; the API reads for itself what it really is."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "application/feed+json"
    head = data[:2000].lower()
    return "application/atom+xml" if b"<feed" in head else "application/rss+xml"
