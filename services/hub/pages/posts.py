"""What a person shared, and what it brought."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import Ambassador
from services.hub.paging import MAX_QUERY, read_list
from services.hub.paths import v1

router = APIRouter()
PAGE = 20


@router.get("/posts")
async def posts(view: Ambassador, query: str = "", cursor: str | None = None) -> Response:
    def page_of(cursor: str | None) -> Awaitable[Json]:
        wanted = {"program_id": view.joined_program, "query": query.strip()[:MAX_QUERY]}
        return view.apis.get("sharing", v1("posts"), **wanted, cursor=cursor, limit=PAGE)

    found = await view.gather(
        posts=read_list(view, cursor, page_of),
        figures=view.apis.get("metrics", v1("me", "figures"), program_id=view.program.id if view.program else None),
    )
    template = "posts/_posts.html" if cursor and view.is_fragment else "posts/posts.html"
    return view.page(template, query=query, **found)
