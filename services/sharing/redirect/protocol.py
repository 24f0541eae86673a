"""RedirectServer answered where the request was read: a click that only waits for Kafka needs no task of its own.

uvicorn describes each request to an application, makes a task for it and puts its answer together anew; for the
redirect that is more than the rest of it. Whatever is not a plain click of a link at hand goes uvicorn's own way, to
the ASGI application.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from chassis.web.protocol import BoundedHttpProtocol
from services.sharing.redirect.short_link import ShortLink

_PATH = b"/l/"
_BODY = frozenset((b"content-length", b"transfer-encoding", b"expect"))
_CLOSE = b"connection: close\r\n"


class RedirectProtocol(BoundedHttpProtocol):
    """uvicorn's HTTP, but for clicks that the application, `RedirectServer`, takes at once."""

    def begin_request(self) -> None:
        if not self._taken():
            super().begin_request()

    def _taken(self) -> bool:
        if not self.url.startswith(_PATH) or self.parser.get_method() != b"GET":
            return False
        # What comes before its turn, and who does not read what was written, are uvicorn's business.
        before: RequestResponseCycle | None = self.cycle
        if self.flow.write_paused or (before is not None and not before.response_complete):
            return False
        headers = dict(self.headers)
        if not _BODY.isdisjoint(headers):
            return False
        click = _Click(self)
        code = self.url[len(_PATH) :].partition(b"?")[0].decode("latin-1")
        application: Any = self.app
        if not application.take(code, self.client[0] if self.client else "", headers, click.answer):
            return False
        self.cycle = click  # type: ignore[assignment]
        return True


class _Nobody:
    def set(self) -> None:
        """No application waits for more of the request."""


class _Click:
    """What uvicorn asks of a request under way."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "more_body", "response_complete")
    message_event = _Nobody()

    def __init__(self, protocol: RedirectProtocol) -> None:
        self._protocol = protocol
        self.disconnected = self.response_complete = False
        self.keep_alive = protocol.parser.get_http_version() != "1.0" and protocol.parser.should_keep_alive()

    def answer(self, link: ShortLink) -> None:
        if self.disconnected:
            return
        self.response_complete = True
        protocol = self._protocol
        context = [link.head, *(b"%b: %b\r\n" % one for one in protocol.server_state.default_headers)]
        if not self.keep_alive:
            context.append(_CLOSE)
        context.append(b"\r\n")
        protocol.transport.write(b"".join(context))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()
