"""Links answered where the request was read: a click that only waits for Kafka needs no task of its own.

uvicorn makes a task for each request and puts each answer together anew; for the redirect that is more than the rest
of it. Whatever is not a plain click of a link at hand goes uvicorn's own way, to the ASGI application.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.sharing.link import Link

_CLOSE = b"connection: close\r\n"


class LinkProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, but for clicks that the application, `Links`, takes at once."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Who does not read what was written is uvicorn's business: it waits before it writes more.
        if cycle.flow.write_paused or not app.take(cycle.scope, partial(_answer, cycle)):
            super()._start_asgi_task(cycle, app)


def _answer(cycle: RequestResponseCycle, link: Link) -> None:
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    parts = [link.head, *(b"%b: %b\r\n" % one for one in cycle.default_headers)]
    if not cycle.keep_alive:
        parts.append(_CLOSE)
    parts.append(b"\r\n")
    cycle.transport.write(b"".join(parts))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
