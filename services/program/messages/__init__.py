"""What Herald itself says in mails: catalogues in French and English."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from babel.dates import format_skeleton

from chassis.messages import Messages, supported

_MESSAGES = Messages(Path(__file__).parent)


def message(key: str, locale: str, **values: Any) -> str:
    """The text in the locale's language, English where there is none in it; numbers as that language writes them."""
    return _MESSAGES.text(supported(locale), key, **values)


def day(value: date, locale: str) -> str:
    """A day of this year or the next as the language says it: "9 avril", "April 9"."""
    return str(format_skeleton("MMMMd", value, locale=supported(locale)))
