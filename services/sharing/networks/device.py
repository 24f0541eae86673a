"""The device's own share sheet (Web Share): it has no address, the browser opens it with the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Device:
    """5,000 characters: the sheet has no limit of its own, the applications behind it have theirs."""

    id: str = "device"
    label: str = "Share sheet"
    dialog: Literal["share_sheet"] = "share_sheet"
    prefills: bool = True
    max_length: int = 5000

    def length(self, text: str) -> int:
        return len(text)

    def dialog_url(self, text: str, link: str, title: str) -> None:
        return None
