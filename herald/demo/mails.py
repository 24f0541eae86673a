"""The mails that the local mailbox kept, and what a newsletter says in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from services.hub.drafting import written_in

FIGURES = ("active_ambassadors", "shares", "clicks_counted")


@dataclass(frozen=True, slots=True)
class Received:
    """A mail: to whom, and its plain text."""

    recipient: str
    language: str
    text: str


def newsletters(folder: Path, program_id: str, newsletter_id: str) -> list[Received]:
    """The mails of a newsletter in the folder of the mailbox."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default)
        if f"newsletter.{program_id}." in str(message["List-Id"]):
            body = message.get_body(("plain",))
            text = body.get_content() if isinstance(body, EmailMessage) else ""
            if f"/newsletters/{newsletter_id}" in text:
                language = str(message["Content-Language"] or "")
                lines = "\n".join(text.splitlines())
                found.append(Received(str(message["X-Envelope-To"]), language, lines))
    return found


def once_each(mails: Iterable[Received]) -> set[str]:
    """Who got exactly one."""
    return {recipient for recipient, number in Counter(one.recipient for one in mails).items() if number == 1}


def figures_in(mail: Received) -> Mapping[str, str]:
    """The figures that it tells, as they are written there."""
    language = written_in(mail.language, "UTC")
    found = {}
    for figure in FIGURES:
        name = re.escape(str(language.text(f"figure.{figure}").unescape().lower()))
        said = re.search(rf"^- (.+?) {name}$", mail.text, re.MULTILINE)
        found[figure] = said[1] if said else ""
    return found


def said_everywhere(mails: Iterable[Received], figure: str, value: float) -> float:
    """The value where every mail says it, as its language writes it; else -1."""
    told = [(figures_in(mail)[figure], written_in(mail.language, "UTC").compact(value)) for mail in mails]
    return value if told and all(said == wanted for said, wanted in told) else -1
