"""E-mail: the person's own mail program, by a `mailto:` address (RFC 6068)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Email:
    """The widest-spread mail programs open addresses of about 2,000 characters: the text is counted as it stands
    in the address, where a letter with an accent takes six."""

    id: str = "email"
    label: str = "E-mail"
    dialog: Literal["mail"] = "mail"
    prefills: bool = True
    max_length: int = 1800

    def length(self, text: str) -> int:
        return len(_encoded(text))

    def dialog_url(self, text: str, link: str, title: str) -> str:
        subject = quote(title[:100], safe="")
        return f"mailto:?subject={subject}&body={_encoded(text)}"


def _encoded(text: str) -> str:
    return quote(text.replace("\n", "\r\n"), safe="")
