"""A sent form that failed, for whatever reason, is answered by its own page: what was typed is in it, what is wrong
stands beside its field, and the status says what happened. Where that page cannot be had (its service is away, what it
is about is gone), a page of its own keeps what was typed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from markupsafe import Markup
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message

from chassis.messages import LANGUAGES
from services.hub.clients import ApiError, Json
from services.hub.forms.filling import FRESH, Difference, Fault, Marked, Place, Typed, Way, fill
from services.hub.paths import OF_A_MOMENT, safe_path
from services.hub.view import BadForm, View

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a form was not taken: the status of the answer, a sentence on the whole, and an API's violations."""

    status: int
    sentence: str
    errors: Sequence[Json] = ()
    stale: bool = False
    """Whether somebody else has stored something else in the meantime."""
    final: bool = False
    """Whether sending the same once more cannot succeed: what it is about is gone."""


class _NoPage(Exception):
    """What is there is no page."""


async def answer(request: Request, failure: Failure) -> Response | None:
    """The form's own page with what was typed; None where it was no form of ours that failed, or it cannot be read."""
    view: View | None = getattr(request.state, "view", None)
    if view is None or request.method != "POST" or view.session is None:
        return None
    try:
        typed = typed_of(await view.form())
    except BadForm:
        return None
    page = await _page(view, typed)
    path, way = view.request.scope["path"], _way(view, failure)
    filled = await asyncio.to_thread(fill, page, path, typed, way) if page else None
    if filled is None:
        return _keep(view, typed, failure)
    return HTMLResponse(filled, failure.status, headers=view.page_headers)


async def _page(view: View, typed: Typed) -> str | None:
    """The page that the form is on; None where it cannot be had."""
    if view.form_page is not None:
        try:
            return await view.form_page()
        except ApiError:
            return None
    address = view.shown_at or typed.get("page", [""])[0]
    return await _page_at(view.request, address) if address else None


def typed_of(form: Any) -> Typed:
    """What was typed, by field; files are left out."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found


def _way(view: View, failure: Failure) -> Way:
    def summary(marked: list[Marked], elsewhere: list[str], has_file: bool) -> str:
        found = {"marked": marked, "elsewhere": elsewhere, "has_file": has_file}
        return view.render("forms/_summary.html", failure=failure, **found)

    def difference(found: Difference) -> str:
        return view.render("forms/_difference.html", found=found)

    faults = [
        Fault(_places(view, str(one.get("field", ""))), _plain(view.sentence(one, view.about)), view.place(one))
        for one in failure.errors
    ]
    newer = failure.stale or view.shown_at is not None
    return Way(summary, difference, faults, newer=newer, differences=failure.stale)


def _plain(text: str) -> str:
    return text.unescape() if isinstance(text, Markup) else text


def _places(view: View, field: str) -> tuple[Place, ...]:
    """Where a field of an API may be in a form: where the route says (`View.fields`), or else by its name."""
    steps = field.split(".")
    said = (view.fields.get(".".join(steps[:count])) for count in range(len(steps), 0, -1))
    words = [step for step in steps if step and not step.isdigit()]
    return (*filter(None, said), Place("_".join(words)), *(Place(word) for word in reversed(words)))


async def _page_at(request: Request, address: str) -> str | None:
    """The page at an address of ours, as the person who sent the form sees it now; None where there is none."""
    path, _, query = safe_path(address).partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in OF_A_MOMENT]
    scope = {
        **request.scope,
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": urlencode(kept).encode(),
        "headers": [one for one in request.scope["headers"] if not one[0].startswith(b"content-")],
        "state": {},
    }
    status, body = 0, bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            if not dict(message["headers"]).get(b"content-type", b"").startswith(b"text/html"):
                raise _NoPage
        body.extend(message.get("body", b""))

    try:
        await request.app.router(scope, receive, send)
    except _NoPage:
        return None
    except Exception:
        log.exception("the page of a form cannot be shown")
        return None
    return body.decode() if status == 200 else None


def _keep(view: View, typed: Typed, failure: Failure) -> Response:
    """A page that shows what was typed, and sends the same again where that may help."""
    fields = [(name, value) for name, values in typed.items() if name not in FRESH for value in values]
    shown = [one for one in fields if one[1].strip() and view.language.has(f"field.{_base(one[0])}")]
    return view.page(
        "forms/kept.html",
        failure.status,
        failure=failure,
        path=quote(view.request.scope["path"]),
        page=typed.get("page", [""])[0],
        shown=[(_base(name), name, value) for name, value in shown],
        carried=[one for one in fields if one not in shown],
    )


def _base(name: str) -> str:
    """The name of a field without its language."""
    return next((name.removesuffix(f"_{code}") for code in LANGUAGES if name.endswith(f"_{code}")), name)
