"""The mailbox that bounces come back to, by IMAP over TLS.

Reading changes nothing in it: how far it was read is known here, by UIDs. What was taken is marked as read, so that a
person who looks finds what is left. Every call blocks: they are for a thread.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

MAX_MESSAGE: Final = 1024 * 1024
"""Bytes that are read of a message; what a report says comes first."""
SECONDS: Final = 30.0
"""For one answer of the server."""
_BROKEN: Final = (imaplib.IMAP4.error, OSError, EOFError, UnicodeError)


class Unreachable(Exception):
    """The mailbox cannot be read now: no server, no certificate that is trusted, a sign-in or a folder that is refused.
    Its text is for operators."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the mailbox is; `implicit` is TLS from the first byte."""

    host: str
    port: int
    security: Literal["implicit", "starttls"]
    username: str
    password: str = field(repr=False)
    ca_file: Path | None
    folder: str

    @property
    def id(self) -> str:
        return f"{self.username}@{self.host}/{self.folder}"


class Mailbox:
    """One connection to it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._client: imaplib.IMAP4 | None = None

    def open(self) -> int:
        """Sign in and select the folder; its UIDVALIDITY. Raises Unreachable."""
        account = self._account
        try:
            client = self._client = _connect(account)
            if "AUTH=PLAIN" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{account.username}\0{account.password}".encode())
            else:
                client.login(account.username, account.password)
            folder = account.folder.replace("\\", "\\\\").replace('"', '\\"')
            _check(client.select(f'"{folder}"'), "select")
            _, found = client.response("UIDVALIDITY")
        except _BROKEN as error:
            raise Unreachable(_said(error)) from None
        if not found or not found[0]:
            raise Unreachable("the folder has no UIDVALIDITY")
        return int(found[0])

    def after(self, uid: int) -> list[int]:
        """UIDs of what came after that one, in their order. Raises Unreachable."""
        found = self._ask("SEARCH", f"UID {uid + 1}:*")
        uids = {int(one) for part in found if isinstance(part, bytes) for one in part.split()}
        # `*` is the last message, however low its UID is.
        return sorted(one for one in uids if one > uid)

    def fetch(self, uid: int) -> bytes | None:
        """A message as it arrived, up to `MAX_MESSAGE`; None where it is there no more. Raises Unreachable."""
        found = self._ask("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_MESSAGE}>)")
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)

    def mark_read(self, uid: int) -> None:
        """Where the server lets us. Raises Unreachable."""
        self._ask("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)", refusable=True)

    def close(self) -> None:
        """Sign off."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(*_BROKEN):
                client.logout()

    def abort(self) -> None:
        """Cut the connection: what waits in another thread for an answer ends."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                client.socket().shutdown(socket.SHUT_RDWR)

    def _ask(self, command: str, *arguments: str, refusable: bool = False) -> list[object]:
        if self._client is None:
            raise Unreachable("the connection was cut")
        try:
            status, found = self._client.uid(command, *arguments)
        except _BROKEN as error:
            raise Unreachable(_said(error)) from None
        if not refusable:
            _check((status, found), command)
        return list(found)


def _connect(account: Account) -> imaplib.IMAP4:
    tls = ssl.create_default_context(cafile=account.ca_file)
    if account.security == "implicit":
        return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=tls, timeout=SECONDS)
    client = imaplib.IMAP4(account.host, account.port, timeout=SECONDS)
    client.starttls(tls)
    return client


def _check(answer: tuple[str, Sequence[object]], command: str) -> None:
    if answer[0] != "OK":
        raise Unreachable(f"{command.upper()} was refused")


def _said(error: Exception) -> str:
    """The server's words for a refusal are left out: some repeat the account in them."""
    if isinstance(error, imaplib.IMAP4.abort | EOFError):
        return "the connection ended"
    return "sign-in or command refused" if isinstance(error, imaplib.IMAP4.error) else type(error).__name__
