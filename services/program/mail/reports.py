"""What comes back of mails: delivery reports (RFC 3464 and what older servers write), and complaints (RFC 5965)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Final, Literal

from flufl.bounce import all_failures

ReportKind = Literal["bounce", "delay", "complaint"]
TOKEN: Final = re.compile(r"\+([a-z2-7]{26})@")
_MESSAGE_ID: Final = re.compile(r"<([a-z2-7]{26})@")
_GONE: Final = ("5.1.", "5.2.1")
"""There is no such mailbox, or it is switched off."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says of the mail of a token. `gone` says that nobody is at the address; `id` is the same however
    often and by whichever way the message comes."""

    token: str
    kind: ReportKind
    code: str | None = None
    gone: bool = False
    id: str = field(default="", compare=False)


def read_report(content: bytes) -> Report | None:
    """The report in a message as it arrived; None where it is none of a mail of ours."""
    try:
        # Headers as they stand: the policies that read them stumble over broken ones.
        message = message_from_bytes(content, policy=compat32)
        token = _token(message, content)
        found = _report(message, token) if token else None
    except RecursionError:  # parts within parts without an end
        return None
    return replace(found, id=_id(message, content)) if found else None


def _report(message: Message, token: str) -> Report | None:
    if any(part.get_content_type() == "message/feedback-report" for part in message.walk()):
        return Report(token, "complaint")
    codes = list(_statuses(message))
    failed = [code for code in codes if code.startswith("5.")]
    if failed:
        return Report(token, "bounce", failed[0], any(code.startswith(_GONE) for code in failed))
    if codes:
        return Report(token, "delay", codes[0])
    try:
        temporary, permanent = all_failures(message)
    except (AttributeError, LookupError, TypeError, ValueError):  # its detectors trust what they read
        return None
    if permanent:
        return Report(token, "bounce", gone=True)
    return Report(token, "delay") if temporary else None


def _id(message: Message, content: bytes) -> str:
    """By its Message-ID, or else by what it says."""
    named = str(message.get("Message-ID", "")).strip()
    return hashlib.sha256(named.encode(errors="replace") or content).hexdigest()


def _token(message: Message, content: bytes) -> str | None:
    """Of the address that it came to, or else of the mail that it quotes."""
    for header in ("Delivered-To", "X-Original-To", "To", "Envelope-To"):
        for value in message.get_all(header, []):
            if found := TOKEN.search(str(value).lower()):
                return found.group(1)
    found = _MESSAGE_ID.search(content.decode("ascii", "replace"))
    return found.group(1) if found else None


def _statuses(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in part.walk():
            status = str(fields.get("Status", "")).strip().partition(" ")[0]
            action = str(fields.get("Action", "")).strip().lower()
            if action in ("failed", "delayed") and re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status):
                yield status
