"""What Herald itself says in mails: catalogues in French and English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chassis.messages import Messages, supported

_MESSAGES = Messages(Path(__file__).parent)


def message(key: str, locale: str, **values: Any) -> str:
    """The text in the locale's language, English where there is none in it; numbers as that language writes them."""
    return _MESSAGES.text(supported(locale), key, **values)
