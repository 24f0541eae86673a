"""WhatsApp: click-to-chat without a number lets the person choose whom to send the text to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """4,096 characters, the limit of a text message."""

    id: str = "whatsapp"
    label: str = "WhatsApp"
    dialog: Literal["page"] = "page"
    prefills: bool = True
    max_length: int = 4096

    def length(self, text: str) -> int:
        return len(text)

    def dialog_url(self, text: str, link: str, title: str) -> str:
        return f"https://wa.me/?text={quote(text, safe='')}"
