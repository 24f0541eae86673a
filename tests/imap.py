"""A real IMAP server (pymap) with one mailbox, over TLS."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

from services.program.mail.mailbox import Account

USER, PASSWORD = "bounces@herald.test", "grüße"


@dataclass
class ImapServer:
    """Where it is, and what is done with its mailbox from outside."""

    account: Account
    _listening: asyncio.Server

    async def deliver(self, *messages: bytes) -> None:
        """Put messages into the mailbox."""

        def append(client: imaplib.IMAP4) -> None:
            for one in messages:
                status, why = client.append("INBOX", "", "", one.replace(b"\n", b"\r\n"))
                assert status == "OK", why

        await asyncio.to_thread(self._signed_in, append)

    async def unread(self) -> int:
        """How many messages nobody has read."""
        found: list[int] = []

        def count(client: imaplib.IMAP4) -> None:
            client.select("INBOX", readonly=True)
            found.append(len(client.search(None, "UNSEEN")[1][0].split()))

        await asyncio.to_thread(self._signed_in, count)
        return found[0]

    def close(self) -> None:
        self._listening.close()

    def _signed_in(self, work: Callable[[imaplib.IMAP4], None]) -> None:
        tls = ssl.create_default_context(cafile=self.account.ca_file)
        client: imaplib.IMAP4
        if self.account.security == "implicit":
            client = imaplib.IMAP4_SSL(self.account.host, self.account.port, ssl_context=tls, timeout=10)
        else:
            client = imaplib.IMAP4(self.account.host, self.account.port, timeout=10)
            client.starttls(tls)
        with client:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            work(client)


@asynccontextmanager
async def imap_server(
    certificate: Path, tls: ssl.SSLContext, security: Literal["implicit", "starttls"] = "implicit"
) -> AsyncIterator[ImapServer]:
    """Running on 127.0.0.1, its mailbox empty."""
    args = Namespace(
        host="127.0.0.1", port=0, debug=False, cert=None, key=None, tls=security == "starttls", passlib_cfg=None,
        proxy_protocol=None, demo_data=False, demo_user=USER, demo_password=PASSWORD,
    )  # fmt: skip
    backend, config = await DictBackend.init(args, ssl_context=tls)
    config.apply_context()
    answer = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls if security == "implicit" else None)
    port = listening.sockets[0].getsockname()[1]
    server = ImapServer(Account("127.0.0.1", port, security, USER, PASSWORD, certificate, "INBOX"), listening)
    try:
        yield server
    finally:
        server.close()
