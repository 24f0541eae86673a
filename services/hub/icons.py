"""The icons, drawn for Herald: strokes of 1.75 in the colour of the text around them (`icons.toml`)."""

from __future__ import annotations

import tomllib
from pathlib import Path

from markupsafe import Markup

_STROKES: dict[str, str] = tomllib.loads((Path(__file__).parent / "icons.toml").read_text())
_ONWARD = frozenset(("arrow", "back", "leave"))
"""They point along the line, whichever way it is read."""
_SVG = Markup('<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>')


def icon(name: str, extra: str = "") -> Markup:
    """The icon, for eyes only: what it stands beside says the same in words. Raises KeyError."""
    return _SVG.format(f"onward {extra}" if name in _ONWARD else extra, _STROKES[name])
