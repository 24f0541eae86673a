"""A real SMTP server (aiosmtpd) that keeps what it was given and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Mood = Literal["takes", "refuses", "later", "unknown", "half", "silent", "closes", "closing", "takes-and-dies"]
"""What it does with a mail: 250; 554 at DATA; 451 at RCPT; 550 5.1.1 at RCPT; half a reply after DATA; no reply after
DATA; hangs up after DATA; 421 at MAIL; keeps the mail and hangs up without a reply."""


@dataclass
class Taken:
    """A mail that was kept: from whom and to whom on the envelope, and the message."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=default)


@dataclass
class SmtpServer:
    """`moods` gives the mood for a recipient; `mood` where it gives none."""

    mood: Mood = "takes"
    moods: Callable[[str], Mood | None] = lambda _: None
    taken: list[Taken] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0
    delay: float = 0.0
    unanswered: int = 0
    """Mails that were kept without a reply that said so."""
    _listening: asyncio.Server | None = None

    def recipients(self) -> Counter[str]:
        """How often each got a mail."""
        return Counter(one.recipient for one in self.taken)

    def by_subject(self) -> Counter[tuple[str, str]]:
        """How often each recipient got a mail of each subject."""
        return Counter((str(one.message["Subject"]), one.recipient) for one in self.taken)

    def _mood(self, recipient: str) -> Mood:
        return self.moods(recipient) or self.mood

    async def listen(
        self, port: int = 0, *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
    ) -> None:
        """On 127.0.0.1; `port` says where."""

        def signed_in(_: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
            good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
            return AuthResult(success=good)

        def protocol() -> SMTP:
            self.connections += 1
            return SMTP(
                self,
                hostname="smtp.test",
                tls_context=tls,
                require_starttls=tls is not None,
                authenticator=signed_in if login else None,
                auth_required=login is not None,
                timeout=300,
                loop=asyncio.get_running_loop(),
            )

        self._listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
        self.port = self._listening.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()

    # ruff: noqa: N802
    # --- what aiosmtpd calls ---------------------------------------------------------------------------------------

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.mood == "closing":
            return "421 4.3.2 closing"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.asked[address] += 1
        match self._mood(address):
            case "later":
                return "451 4.7.1 try again later"
            case "unknown":
                return f"550 5.1.1 <{address}> nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.at_once -= 1
        transport: Any = server.transport
        match self._mood(recipient):
            case "refuses":
                return "554 5.7.1 not this one"
            case "half":
                transport.write(b"25")
                transport.close()
                return "250 OK"
            case "silent":
                await asyncio.sleep(3600)
            case "closes":
                transport.close()
                return "250 OK"
            case "takes-and-dies":
                self._keep(envelope)
                self.unanswered += 1
                transport.abort()
                return "250 OK"
        self._keep(envelope)
        return "250 2.0.0 taken"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken += [Taken(str(envelope.mail_from), one, content) for one in envelope.rcpt_tos]


@asynccontextmanager
async def smtp_server(
    *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
) -> AsyncIterator[SmtpServer]:
    """Running on 127.0.0.1, with STARTTLS and a sign-in where these are given."""
    server = SmtpServer()
    await server.listen(tls=tls, login=login)
    try:
        yield server
    finally:
        server.close()
