"""Pictures that managers give: taken by what they are, and made anew.

`encode` runs in a process of its own (`chassis.offload`): what decodes a picture from outside is C code.
"""

from __future__ import annotations

import io
import struct
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from PIL import Image, ImageCms, ImageOps

Size = Literal["full", "preview"]
MAX_FILE: Final = 10 * 1024 * 1024
"""Bytes of a picture as it is sent."""
MAX_STORED: Final = 8 * 1024 * 1024
"""Bytes of a picture as it is kept: a document of MongoDB holds 16 MiB."""
MAX_PIXELS: Final = 40_000_000
MAX_SIDE: Final = 4096
PREVIEW_SIDE: Final = 480
MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
PREVIEW_TYPE: Final = "image/webp"
_SAVED: Final[dict[str, dict[str, Any]]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 90, "optimize": True, "progressive": True},
    "WEBP": {"quality": 90},
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a programme, upright and without metadata; `size` is in bytes. `used_by` says what shows it; one
    that nothing shows is deleted after a day."""

    id: str
    program_id: str
    media_type: str
    width: int
    height: int
    size: int
    created_at: datetime
    used_by: str | None = None


def encode(body: bytes) -> Iterator[Any]:
    """What is kept of a picture: a dict of `media_type`, `width` and `height`, then the picture and its preview in
    base64. Or else why it is not taken, alone: a dict of `rule` (`not-a-picture`, `svg`, `too-many-pixels`,
    `picture-too-large`).

    A first frame stands for what moves. Colours become sRGB, and the longest side at most 4096 pixels.
    """
    try:
        yield from _encoded(body)
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, struct.error):  # as Pillow has it
        yield {"rule": "svg" if _is_svg(body) else "not-a-picture"}
    except Image.DecompressionBombError:
        yield {"rule": "too-many-pixels"}


def _encoded(body: bytes) -> Iterator[Any]:
    with Image.open(io.BytesIO(body), formats=tuple(MEDIA_TYPES)) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            yield {"rule": "too-many-pixels"}
            return
        form = str(opened.format)
        opened.load()
        picture = _plain(ImageOps.exif_transpose(opened), form)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    full = _saved(picture, form)
    if len(full) > MAX_STORED:
        yield {"rule": "picture-too-large"}
        return
    small = picture.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    yield {"media_type": MEDIA_TYPES[form], "width": picture.width, "height": picture.height}
    yield b64encode(full).decode()
    yield b64encode(_saved(small, "WEBP", quality=80)).decode()


def _plain(picture: Image.Image, form: str) -> Image.Image:
    """The pixels in sRGB, and nothing beside them."""
    profile = picture.info.get("icc_profile")
    transparent = form != "JPEG" and picture.has_transparency_data
    if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
        target = "RGBA" if picture.mode == "RGBA" else "RGB"
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=target)
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that says nothing: the numbers are taken as they are
    picture = picture.convert("RGBA" if transparent else "RGB")
    picture.info = {}
    return picture


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    output = io.BytesIO()
    picture.save(output, format=form, **{**_SAVED[form], **options})
    return output.getvalue()


def _is_svg(body: bytes) -> bool:
    return b"<svg" in body[:4096].lower()
