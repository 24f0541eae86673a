"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from services.content.feeds.dates import Dates
from services.content.feeds.entry import Enclosure, Feed, RawEntry, Text, newest
from services.content.feeds.pictures import Picture
from services.content.feeds.refusal import NotAFeed
from services.content.feeds.text import images

_SAYING: Final = (
    "id",
    "url",
    "external_url",
    "title",
    "content_html",
    "content_text",
    "summary",
    "attachments",
    "image",
)


def read_json(text: str) -> Feed:
    """The feed of a JSON document. Raises NotAFeed."""
    try:
        document = json.loads(text, strict=False)
    except RecursionError:
        raise NotAFeed("too-deep", "It is nested too deep.") from None
    except ValueError as error:
        raise NotAFeed("not-well-formed", f"Not well-formed JSON: {error}.") from None
    items = document.get("items") if isinstance(document, dict) else None
    named = isinstance(document, dict) and "jsonfeed.org/version/" in _string(document.get("version"))
    if not isinstance(items, list) or not (named or _string(document.get("title"))):
        raise NotAFeed("not-a-feed", "This is JSON, but no JSON Feed.")
    language = _string(document.get("language")) or None
    dates = Dates([language])
    entries = [one for one in items if isinstance(one, dict)]
    filled = [(one, _date(one, dates)) for one in entries if any(one.get(name) for name in _SAYING)]
    return Feed(
        title=Text(_string(document.get("title")), "text"),
        link=_string(document.get("home_page_url")),
        entries=[_entry(one, dates, language) for one in newest(filled)],
        count=len(entries),
    )


def _date(item: dict[str, Any], dates: Dates) -> datetime | None:
    read = (dates.read(_string(item.get(name))) for name in ("date_published", "date_modified"))
    return next((date for date in read if date is not None), None)


def _entry(item: dict[str, Any], dates: Dates, spoken: str | None) -> RawEntry:
    html = _string(item.get("content_html"))
    language = _string(item.get("language"))
    attached = item.get("attachments")
    found = RawEntry(
        guid=_string(item.get("id")),
        links=[_string(item.get("url")), _string(item.get("external_url"))],
        titles=[Text(_string(item.get("title")), "text")],
        texts=[
            Text(_string(item.get("summary")), "text"),
            Text(_string(item.get("content_text")), "text"),
            Text(html, "html"),
        ],
        attached=[
            Enclosure(_string(one.get("url")), _string(one.get("mime_type")))
            for one in (attached if isinstance(attached, list) else ())
            if isinstance(one, dict) and _string(one.get("url"))
        ],
        language=language if language.lower() != (spoken or "").lower() else None,
    )
    if found.guid.lower().startswith(("http://", "https://")):
        found.last_links.append(found.guid)
    found.pictures = [Picture(_string(item.get(name)), "media") for name in ("image", "banner_image") if item.get(name)]
    found.pictures += [Picture(one.address, "media") for one in found.attached if one.kind == "image"]
    found.pictures += [
        Picture(one["src"], "text", label=one.get("class", "")) for one in images(html) if one.get("src")
    ]
    found.date = _date(item, dates)
    return found


def _string(value: object) -> str:
    """A string, or the digits of a number that stands where a string should."""
    if isinstance(value, bool) or value is None:
        return ""
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
