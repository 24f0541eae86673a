"""A mail as it goes over the wire: headers, a text part that says it all, and the HTML beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from services.program.domain.mails import Mail
from services.program.mail.dkim import Signer
from services.program.mail.layout import Layout

_POLICY: Final = SMTP.clone(max_line_length=200)
"""Addresses in `List-*` headers stay in one piece."""


class Unwritable(ValueError):
    """No mail can be made of it: an address that no mail server takes, or a header of several lines."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an SMTP server is given."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sending:
    """From where mails come: the address in `From`, the one that bounces come back to, one to answer to, the host of
    the installation, and what signs them."""

    address: str
    bounces: str
    reply_to: str | None
    host: str
    signer: Signer | None = None


def compose(
    mail: Mail, layout: Layout, to: str, sending: Sending, *, name: str, now: datetime, stop: str, archive: str | None
) -> Envelope:
    """`name` is the programme's, `stop` the reader's unsubscribe page, `archive` where the list is kept. Raises
    Unwritable."""
    recipient = _ascii(to)
    html, text = layout.for_reader(stop)
    message = EmailMessage(policy=_POLICY)
    list_id = f"{mail.kind}.{mail.program_id}.{sending.host}"
    headers: Mapping[str, object] = {
        "From": _mailbox(name, sending.address),
        "To": recipient,
        "Subject": layout.subject,
        "Date": format_datetime(now),
        "Message-ID": f"<{mail.token}@{sending.host}>",
        "List-Id": f"<{list_id}>",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        **({"List-Archive": f"<{archive}>"} if archive else {}),
        **({"Reply-To": sending.reply_to} if sending.reply_to else {}),
    }
    try:
        for header, value in headers.items():
            message[header] = value
        message.set_content(text, cte="quoted-printable")
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        message["Content-Language"] = layout.language  # setting the content takes such headers away
        content = message.as_bytes()
        if sending.signer:
            content = sending.signer.sign(content, now)
    except (ValueError, IndexError) as error:
        raise Unwritable(type(error).__name__) from None
    return Envelope(return_path(sending.bounces, mail.token), recipient, content)


def return_path(bounces: str, token: str) -> str:
    """The address that a bounce of that mail comes back to (VERP)."""
    local, _, domain = bounces.partition("@")
    return f"{local}+{token}@{domain}"


def address_digest(address: str) -> str:
    """What is kept of an address that mails did not reach."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.partition("@")
    return Address(display_name=name, username=local, domain=domain)


def _ascii(address: str) -> str:
    """Domains of other scripts as mail servers know them."""
    local, at, domain = address.rpartition("@")
    try:
        found = f"{local}{at}{domain.encode('idna').decode('ascii')}"
        found.encode("ascii")
    except UnicodeError:
        raise Unwritable("address") from None
    if not local or any(letter.isspace() or letter in "<>," for letter in found):
        raise Unwritable("address")
    return found
