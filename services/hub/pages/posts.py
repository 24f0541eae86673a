"""What a person shared, and what it brought."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.context import Ambassador
from services.hub.view import Missing, View

router = APIRouter()
PAGE = 20


@router.get("/posts")
async def posts(view: Ambassador, cursor: str | None = None) -> Response:
    found = await view.gather(
        posts=view.apis.get("sharing", "/v1/posts", cursor=cursor, limit=PAGE),
        figures=view.apis.get("metrics", "/v1/me/figures", program_id=view.program.id if view.program else None),
    )
    titles = await titles_of(view, found["posts"])
    template = "posts/_posts.html" if cursor and view.is_fragment else "posts/posts.html"
    return view.page(template, titles=titles, **found)


@router.post("/posts/{post_id}/remove")
async def remove(view: Ambassador, post_id: str) -> Response:
    """ "I did not post it": the post and its points are taken back; its link still leads where it led."""
    await view.apis.call("sharing", "DELETE", f"/v1/posts/{post_id}")
    return view.go("/posts", toast="post-removed")


async def titles_of(view: View, found: Any) -> dict[str, str]:
    """The titles of the items behind posts, as far as the person still sees them."""
    if isinstance(found, Missing):
        return {}
    ids = sorted({one["content_id"] for one in found["items"]})
    items = await view.gather(
        **{one: view.apis.get("content", f"/v1/feed/{one}", language=view.language.code) for one in ids}
    )
    known: dict[str, Json] = {one: item for one, item in items.items() if not isinstance(item, Missing)}
    return {one: item["title"] for one, item in known.items()}
