"""X: its web intent opens with a text in it; lengths are weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from services.sharing.networks.x_text import weighted_length


@dataclass(frozen=True, slots=True)
class X:
    """280 in X's weights: most scripts of the West count one, others and emoji two, any link 23."""

    id: str = "x"
    label: str = "X"
    dialog: Literal["page"] = "page"
    prefills: bool = True
    max_length: int = 280

    def length(self, text: str) -> int:
        return weighted_length(text)

    def dialog_url(self, text: str, link: str, title: str) -> str:
        return f"https://x.com/intent/post?text={quote(text, safe='')}"
