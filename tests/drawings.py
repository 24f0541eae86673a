"""Small pictures that tests send."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, PngImagePlugin

HIDDEN = "48.8584N 2.2945E"
"""Stands in every place of a drawing where metadata can be."""


def drawing(form: str = "PNG", size: tuple[int, int] = (60, 30), mode: str = "RGB", **options: Any) -> bytes:
    """The left half red, the right half blue; with metadata."""
    picture = Image.new(mode, size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", HIDDEN)
        info.add_itxt("XML:com.adobe.xmp", f"<x>{HIDDEN}</x>")
        options = {"pnginfo": info, **options}
    if form == "JPEG":
        options = {"comment": HIDDEN, **options}
    exif = Image.Exif()
    exif[0x010E] = HIDDEN
    exif[0x0112] = options.pop("orientation", 1)
    output = io.BytesIO()
    picture.save(output, form, exif=exif.tobytes(), **options)
    return output.getvalue()
