"""QR codes as pictures of a page: no style of their own, which the pages' policy would refuse."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET = 4
"""Modules of white around a code, as ISO/IEC 18004 has it."""


def modules(text: str) -> list[bytes]:
    """The rows of a text's code, 1 for a dark module; it is read also where a quarter is dirty. Raises
    segno.DataOverflowError for a text that no code can hold."""
    return [bytes(row) for row in segno.make_qr(text, error="q").matrix_iter(scale=1, border=0)]


def qr(text: str, label: str) -> Markup:
    """The picture of a text's code, nothing for a text that none can hold; `label` says what it is."""
    try:
        rows = modules(text)
    except segno.DataOverflowError:
        return Markup()
    size = len(rows) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}"><rect width="{0}" height="{0}" fill="#fff"/>'
        '<path d="{2}" fill="#000"/></svg>'
    ).format(size, label, path)
