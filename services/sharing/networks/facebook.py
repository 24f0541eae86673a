"""Facebook: its sharer takes the address alone; the caption is the person's to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Facebook:
    """Facebook itself takes 63,206 characters; nobody reads so many, and checking them costs everybody else time."""

    id: str = "facebook"
    label: str = "Facebook"
    dialog: Literal["page"] = "page"
    prefills: bool = False
    max_length: int = 5000

    def length(self, text: str) -> int:
        return len(text)

    def dialog_url(self, text: str, link: str, title: str) -> str:
        return f"https://www.facebook.com/sharer/sharer.php?u={quote(link, safe='')}"
