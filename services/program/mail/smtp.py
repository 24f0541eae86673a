"""The way to the SMTP server: a few connections that are kept, and what its answers mean for a mail.

- `Away`: no server takes mail now, whosever it is (it does not answer, signs off with 421, refuses our sign-in or our
  sender). The mail has done nothing wrong: it is put back, and nothing is sent for a while.
- `Later`: this mail was not taken for now (4xx), or nobody knows whether it was, because the answer was not whole or
  did not come. It is tried again under the same Message-ID.
- `Refused`: it never will be (5xx).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException, SMTPServerDisconnected

from services.program.mail.message import Envelope

Security = Literal["starttls", "implicit", "none"]
MAILS_A_CONNECTION: Final = 100
CLOSING: Final = 421
NOT_OUR_MAIL: Final = frozenset({500, 502, 503, 530, 534, 535, 538})
_ENHANCED: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_BROKEN: Final = (SMTPServerDisconnected, TimeoutError, OSError)


class NotSent(Exception):
    """Why a mail was not sent. `code` is the server's reply, such as `451 4.7.1`; None where none came."""

    def __init__(self, code: str | None) -> None:
        super().__init__(code or "no answer")
        self.code = code


class Away(NotSent):
    """Nobody takes mail now."""


class Later(NotSent):
    """Not this mail, not now."""


class Refused(NotSent):
    """Not this mail, ever; `unknown_address` says that nobody is there."""

    def __init__(self, code: str | None, *, unknown_address: bool = False) -> None:
        super().__init__(code)
        self.unknown_address = unknown_address


@dataclass(frozen=True, slots=True)
class Server:
    """The SMTP server; `timeout` is in seconds, for one mail with all that is said about it."""

    host: str
    port: int
    security: Security
    username: str | None
    password: str | None
    ca_file: Path | None
    timeout: float
    connections: int
    own_name: str


class Pool:
    """Connections to the server that are used again; at most one mail is under way on each."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[tuple[SMTP, int]] = []

    async def send(self, envelope: Envelope) -> str:
        """Hand a mail over; the reply's code. Raises Away, Later, Refused."""
        deadline = asyncio.get_running_loop().time() + self._server.timeout
        while True:
            kept = bool(self._idle)
            client, mails = self._idle.pop() if kept else (await self._connect(deadline), 0)
            try:
                code = await self._hand_over(client, envelope, deadline, reused=kept)
            except _Stale:
                continue  # the server had closed a kept connection
            except NotSent:
                await self._keep(client, mails)
                raise
            await self._keep(client, mails + 1)
            return code

    async def close(self) -> None:
        """Sign off."""
        while self._idle:
            client, _ = self._idle.pop()
            await self._quit(client)

    async def _connect(self, deadline: float) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=server.own_name,
            timeout=server.timeout,
            use_tls=server.security == "implicit",
            start_tls=server.security == "starttls",
            cert_bundle=str(server.ca_file) if server.ca_file else None,
        )
        try:
            async with asyncio.timeout_at(deadline):
                await client.connect()
        except SMTPResponseException as error:
            client.close()
            raise Away(_code(error)) from None
        except (SMTPException, *_BROKEN, ValueError):
            client.close()
            raise Away(None) from None
        return client

    async def _hand_over(self, client: SMTP, envelope: Envelope, deadline: float, *, reused: bool) -> str:
        """Raises Away, Later, Refused, _Stale."""
        step = "mail"
        try:
            async with asyncio.timeout_at(deadline):
                await client.mail(envelope.sender)
                step = "rcpt"
                await client.rcpt(envelope.recipient)
                step = "data"
                answer = await client.data(envelope.content)
                return str(answer.code)
        except SMTPResponseException as error:
            raise self._meaning(client, error, step, reused=reused) from None
        except _BROKEN:
            client.close()
            if step == "mail" and reused:
                raise _Stale from None
            raise Later(None) from None
        except SMTPException:
            client.close()
            raise Later(None) from None
        except BaseException:
            client.close()
            raise

    def _meaning(self, client: SMTP, error: SMTPResponseException, step: str, *, reused: bool) -> Exception:
        code = _code(error)
        if not 400 <= error.code < 600:  # half a reply, or none that SMTP knows
            client.close()
            return Later(None)
        if error.code == CLOSING:
            client.close()
            if step == "mail" and reused:
                return _Stale()
            return Later(code) if step == "data" else Away(code)
        if error.code < 500:
            return Later(code)
        if step == "mail" or error.code in NOT_OUR_MAIL:
            return Away(code)
        return Refused(code, unknown_address=step == "rcpt" and _unknown(error))

    async def _keep(self, client: SMTP, mails: int) -> None:
        """For the next mail, unless it served long enough or is broken."""
        if not client.is_connected:
            return
        if mails >= MAILS_A_CONNECTION or len(self._idle) >= self._server.connections:
            await self._quit(client)
            return
        try:
            async with asyncio.timeout(5):
                await client.rset()
        except (SMTPException, *_BROKEN):
            client.close()
        else:
            self._idle.append((client, mails))

    async def _quit(self, client: SMTP) -> None:
        try:
            async with asyncio.timeout(2):
                await client.quit()
        except (SMTPException, *_BROKEN):
            client.close()


class _Stale(Exception):
    """A kept connection that the server had closed before anything was said."""


def _code(error: SMTPResponseException) -> str:
    """The reply's code and its enhanced code, without the text: servers repeat addresses in it."""
    found = _ENHANCED.search(str(error.message))
    return f"{error.code} {found.group(1)}" if found else str(error.code)


def _unknown(error: SMTPResponseException) -> bool:
    """Whether the reply says that there is no such address (RFC 3463: 5.1.x; without an enhanced code, 550 and 553)."""
    found = _ENHANCED.search(str(error.message))
    return found.group(1).startswith("5.1.") if found else error.code in (550, 551, 553)
