"""How texts of people are shown."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from services.hub.clients import Json

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).disable("image")
_LINKED = ("http://", "https://", "mailto:")
_MARKDOWN.validateLink = lambda url: url.strip().lower().startswith(_LINKED)  # type: ignore[method-assign]
KINDS = ("article", "link", "image", "video", "podcast", "infographic", "document", "job_offer", "event")
CATEGORIES = ("company_news", "sector_news", "behind_the_scenes", "thought_leadership", "local_news", "jobs")


@lru_cache(maxsize=64)
def markdown(text: str) -> Markup:
    """CommonMark as HTML: no raw HTML, no images, no addresses but http, https and mailto."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes, raw HTML is off


def art(item_id: str) -> list[int]:
    """Eight numbers from 0 to 99 that are always the same for an item: what its drawn picture is made of."""
    return [byte % 100 for byte in hashlib.sha256(item_id.encode()).digest()[:8]]


def variant_in(item: Json, language: str) -> Json:
    """The item's variant in a language, or else its first."""
    variants: list[Any] = item.get("variants") or [{"language": language, "title": "", "summary": ""}]
    found: Json = next((one for one in variants if one["language"] == language), variants[0])
    return found
