"""Where the links of mails lead: to say, without signing in, that one wants no more of them.

The link's own token admits; so there is neither a session nor a form of ours to protect. Looking changes nothing,
whatever follows links. A mail program's one-click request (RFC 8058) and the button of the page are the same POST.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json
from services.hub.dependencies import MAIL_PATH, Visitor
from services.hub.paths import v1
from services.hub.view import View

router = APIRouter()
LINK = MAIL_PATH + "{reader}/{kind}/{program_id}"


@router.get(LINK)
async def look(view: Visitor, reader: str, kind: str, program_id: str) -> Response:
    """What the link is for, and a button."""
    return _page(view, await _ask(view, "GET", reader, kind, program_id))


@router.post(LINK)
async def unsubscribe(view: Visitor, reader: str, kind: str, program_id: str) -> Response:
    """Send no more of it. Answered with a page, not with another address: who asks may be a mail program."""
    return _page(view, await _ask(view, "POST", reader, kind, program_id, "unsubscribe"))


@router.post(LINK + "/again")
async def subscribe(view: Visitor, reader: str, kind: str, program_id: str) -> Response:
    """Take it back."""
    return _page(view, await _ask(view, "POST", reader, kind, program_id, "subscribe"))


async def _ask(view: View, method: str, reader: str, kind: str, program_id: str, *act: str) -> Json:
    found: Json = (await view.apis.call("program", method, v1("mail", reader, kind, program_id, *act))).data
    return found


def _page(view: View, choice: Json) -> Response:
    response = view.page("mail.html", choice=choice, path=view.here.removesuffix("/again"))
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
