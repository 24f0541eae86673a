"""LinkedIn: its composer opens with a text in it; a link in the text becomes its preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class LinkedIn:
    """3,000 characters, counted as UTF-16 units, as its composer does."""

    id: str = "linkedin"
    label: str = "LinkedIn"
    dialog: Literal["page"] = "page"
    prefills: bool = True
    max_length: int = 3000

    def length(self, text: str) -> int:
        return len(text.encode("utf-16-le")) // 2

    def dialog_url(self, text: str, link: str, title: str) -> str:
        return f"https://www.linkedin.com/feed/?shareActive=true&text={quote(text, safe='')}"
