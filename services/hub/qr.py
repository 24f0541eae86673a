"""QR codes as pictures of a page: no style of their own, which the pages' policy would refuse."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET = 4
"""Modules of white around a code, as ISO/IEC 18004 has it."""


def qr(text: str, label: str) -> Markup:
    """The code of a text, read by phones also where a quarter of it is dirty; `label` says what it is."""
    modules = [bytes(row) for row in segno.make_qr(text, error="q").matrix_iter(scale=1, border=0)]
    size = len(modules) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(modules) for x, dark in enumerate(row) if dark
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}"><rect width="{0}" height="{0}" fill="#fff"/>'
        '<path d="{2}" fill="#000"/></svg>'
    ).format(size, label, path)
