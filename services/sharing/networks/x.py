"""X: its web intent opens with a text in it; lengths are weighted."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import regex

URL_LENGTH = 23
# twitter-text's configuration, version 3: these code points weigh one, all others two.
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
_URL = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
_BARE_DOMAIN = regex.compile(r"(?<![@#$\w.-])(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?:/[^\s<>\"]*)?(?![\w@])")
_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3"
    r"|(?!\d)[\p{Emoji_Presentation}\p{Extended_Pictographic}][\uFE0F\p{Emoji_Modifier}]?"
    r"(?:\u200D[\p{Emoji_Presentation}\p{Extended_Pictographic}][\uFE0F\p{Emoji_Modifier}]?)*"
    r"[\U000E0020-\U000E007F]*"
)


@dataclass(frozen=True, slots=True)
class X:
    """280 in X's weights: most scripts of the West count one, others and emoji two, any link 23.

    What may be a link without its scheme (`example.com`) counts as whichever is more, the link or the letters, so
    that a text which fits here fits there.
    """

    id: str = "x"
    label: str = "X"
    dialog: Literal["page"] = "page"
    prefills: bool = True
    max_length: int = 280

    def length(self, text: str) -> int:
        text = unicodedata.normalize("NFC", text)
        total = 0
        for part in _split(text, _URL):
            if _URL.fullmatch(part):
                total += URL_LENGTH
                continue
            for piece in _split(part, _BARE_DOMAIN):
                weight = _weigh(piece)
                total += max(URL_LENGTH, weight) if _BARE_DOMAIN.fullmatch(piece) else weight
        return total

    def dialog_url(self, text: str, link: str, title: str) -> str:
        return f"https://x.com/intent/post?text={quote(text, safe='')}"


def _split(text: str, pattern: regex.Pattern[str]) -> list[str]:
    """The text cut before and after each match."""
    context, at = [], 0
    for found in pattern.finditer(text):
        context += [text[at : found.start()], found[0]]
        at = found.end()
    return [part for part in (*context, text[at:]) if part]


def _weigh(text: str) -> int:
    emoji = _EMOJI.findall(text)
    rest = _EMOJI.sub("", text) if emoji else text
    return 2 * len(emoji) + sum(1 if any(low <= ord(one) <= high for low, high in _LIGHT) else 2 for one in rest)
