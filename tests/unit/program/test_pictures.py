"""What is kept of a picture, and what is none."""

from __future__ import annotations

import io
import zlib
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from services.program.domain import pictures
from services.program.domain.pictures import MAX_PIXELS, MAX_SIDE, MEDIA_TYPES, PREVIEW_SIDE, encode
from tests.drawings import HIDDEN, drawing

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def kept(body: bytes) -> tuple[dict[str, Any], Image.Image, Image.Image]:
    """What is said of it, the picture, and the preview."""
    head, full, preview = encode(body)
    raw = b64decode(full)
    assert HIDDEN.encode() not in raw
    assert HIDDEN.encode() not in b64decode(preview)
    return head, Image.open(io.BytesIO(raw)), Image.open(io.BytesIO(b64decode(preview)))


def rule(body: bytes) -> str:
    [said] = encode(body)
    return str(said["rule"])


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_a_picture_is_made_anew_without_what_was_beside_it(form: str) -> None:
    assert HIDDEN.encode() in drawing(form)
    head, full, preview = kept(drawing(form))
    assert head == {"media_type": MEDIA_TYPES[form], "width": 60, "height": 30}
    assert (full.format, full.size) == (form, (60, 30))
    assert (preview.format, preview.size) == ("WEBP", (60, 30))
    assert not full.getexif()
    assert set(full.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression", "loop",
                              "background", "timestamp", "duration"}  # fmt: skip


def test_it_stands_upright() -> None:
    head, full, _ = kept(drawing("JPEG", orientation=6))
    assert (head["width"], head["height"]) == (30, 60)
    red, green, blue = full.convert("RGB").getpixel((15, 5))  # type: ignore[misc]
    assert red > 200 > 60 > max(green, blue)  # what was on the left is above


def test_what_is_seen_through_stays_so() -> None:
    _, full, _ = kept(drawing("PNG", mode="RGBA"))
    assert full.mode == "RGBA"
    palette = Image.new("P", (8, 8))
    output = io.BytesIO()
    palette.save(output, "PNG", transparency=0)
    assert kept(output.getvalue())[1].getpixel((1, 1))[3] == 0  # type: ignore[index]


def test_colours_are_those_of_a_screen() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    for icc in (profile.tobytes(), b"no profile"):
        found = kept(drawing("JPEG", icc_profile=icc))[1]
        assert (found.mode, found.info.get("icc_profile")) == ("RGB", None)
    output = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(output, "JPEG")
    assert kept(output.getvalue())[1].mode == "RGB"


def test_a_large_one_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    head, _, preview = kept(drawing("JPEG", size=(MAX_SIDE * 2, 20)))
    assert (head["width"], preview.size) == (MAX_SIDE, (PREVIEW_SIDE, 1))
    monkeypatch.setattr(pictures, "MAX_STORED", 100)
    assert rule(drawing("PNG")) == "picture-too-large"


def test_too_many_pixels_are_not_decoded() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    assert rule(png_header(side, side)) == "too-many-pixels"
    assert rule(png_header(60_000, 60_000)) == "too-many-pixels"


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises so many pixels and has none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not-a-picture"),
        (b"<script>alert(1)</script>", "not-a-picture"),
        (b"GIF89a" + bytes(20), "not-a-picture"),
        (b"%PDF-1.7", "not-a-picture"),
        (drawing("PNG")[:60], "not-a-picture"),
        (drawing("JPEG")[:300], "not-a-picture"),
        (SVG, "svg"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(body: bytes, why: str) -> None:
    assert rule(body) == why


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(MEDIA_TYPES)), st.data())
def test_whatever_is_broken_is_refused_or_made_anew(form: str, data: st.DataObject) -> None:
    body = bytearray(drawing(form))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    first, *rest = encode(bytes(body))
    assert bool(rest) != ("rule" in first)


def test_a_file_with_something_behind_the_picture_loses_it() -> None:
    head, full, _ = kept(drawing("PNG") + b"<script>" + HIDDEN.encode())
    assert (head["media_type"], full.format) == ("image/png", "PNG")
