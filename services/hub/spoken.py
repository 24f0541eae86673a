"""Sentences of a page that are in English because its language does not have them, marked as such where they stand.

Templates write such a sentence between two marks; when the page is made, the marks become an element with its language.
Where no element can stand (in an attribute, a title, an option) they go.
"""

from __future__ import annotations

import re
from typing import Final

BEGIN, END = "\ue000", "\ue001"
_SPAN: Final = '<span lang="en" dir="ltr">'
_MARK: Final = re.compile(f"[{BEGIN}{END}]|%EE%80%8[01]")
_PIECE: Final = re.compile(r"<(/?)([a-zA-Z][\w-]*)[^>]*>|[^<]+|<")
_PLAIN: Final = frozenset(("title", "option", "textarea", "script", "style"))
"""Elements that hold text alone."""


def with_languages(html: str) -> str:
    """A page in which each sentence between marks says that it is English."""
    if _MARK.search(html) is None:
        return html
    made: list[str] = []
    plain = ""
    for piece in _PIECE.finditer(html):
        text, closes, name = piece[0], piece[1], (piece[2] or "").lower()
        if name:
            if name in _PLAIN:
                plain = "" if closes else name
            made.append(_MARK.sub("", text))
        elif plain:
            made.append(_MARK.sub("", text))
        else:
            made.append(text.replace(BEGIN, _SPAN).replace(END, "</span>"))
    return "".join(made)
