"""Decodes a feed with its real charset, whatever it declares."""

from __future__ import annotations

import codecs
import re
from typing import Final

from services.content.feeds.refusal import Mends, NotAFeed

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE: Final = (
    (re.compile(rb"(?:[\t\n\r ]\0\0\0)*[<{]\0\0\0"), "utf-32-le"),
    (re.compile(rb"(?:\0\0\0[\t\n\r ])*\0\0\0[<{]"), "utf-32-be"),
    (re.compile(rb"(?:[\t\n\r ]\0)*[<{]\0[^\0]"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\r ])*\0[<{]\0"), "utf-16-be"),
)
"""UTF-16 and UTF-32 without a byte order mark."""
_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_HEAD: Final = 4096
_EBCDIC: Final = b"\x4c\x6f\xa7\x94"
_WIDER: Final = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
"""Text declared as the first is often in the second, which is a superset."""
_SEVEN_BIT: Final = re.compile(r"iso2022|utf-7|hz")
_ESCAPE: Final = b"\x1b$"
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_EVIDENCE: Final = 16
"""With fewer bytes beyond ASCII, frequencies do not show the charset."""
_SAMPLE: Final = 32_768
_CONTROLS: Final = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f]")


def decoded(body: bytes, charset: str, mends: Mends) -> str:
    """The text of a document, without its byte order mark. Raises NotAFeed (``encoding``) for what is no text.

    The byte order mark decides first, then valid UTF-8, then the server's charset and the document's. If none fits, it
    is UTF-8 with a few bad bytes, or the charset is guessed from the bytes.
    """
    text = _decoded(body, charset, mends)
    if body and (not text.strip("\0\ufffd") or len(_CONTROLS.findall(text)) > len(text) / 20):
        raise NotAFeed("encoding", "This is no text in an encoding that can be read; UTF-8 is best.")
    return text


def _decoded(body: bytes, charset: str, mends: Mends) -> str:
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return _whole(body[len(mark) :], codec, mends)
    for pattern, codec in _WIDE:
        if pattern.match(body):
            return _whole(body, codec, mends)
    named = _named(body, charset)
    if body.isascii():
        stateful = next((codec for codec in named if _SEVEN_BIT.match(codec)), None)
        return _whole(body, stateful or ("iso2022_jp" if _ESCAPE in body else "ascii"), mends)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _not_utf8(body, named, mends)
    if named and named[0] not in ("utf-8", "ascii"):
        mends.add("charset")
    return text


def _named(body: bytes, charset: str) -> list[str]:
    """Codecs by the names that the server and the document give."""
    declared = _DECLARED.search(body, 0, _HEAD)
    names = [charset, declared[1].decode("ascii") if declared else ""]
    if body.startswith(_EBCDIC):
        names.append("cp037")
    return [codec for name in names if (codec := _codec(name))]


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        return None
    return None if found in _NO_CHARSETS or not found else _WIDER.get(found, found)


def _whole(body: bytes, codec: str, mends: Mends) -> str:
    try:
        return body.decode(codec)
    except UnicodeError:
        mends.add("bytes")
        return body.decode(codec, "replace")


def _not_utf8(body: bytes, named: list[str], mends: Mends) -> str:
    strange = len(body.translate(None, bytes(range(128))))
    for number, codec in enumerate(named):
        if codec == "utf-8" or codec.startswith(("utf-16", "utf-32")):
            continue
        try:
            text = body.decode(codec)
        except (LookupError, UnicodeError):
            continue
        if strange < _EVIDENCE or _plausible(body, codec):
            if number:
                mends.add("charset")
            return text
    bad = 0

    def as_windows(error: UnicodeError) -> tuple[str, int]:
        nonlocal bad
        assert isinstance(error, UnicodeDecodeError)
        bad += 1
        return body[error.start : error.end].decode("cp1252", "replace"), error.end

    codecs.register_error("herald-windows-1252", as_windows)
    text = body.decode("utf-8", "herald-windows-1252")
    if bad <= sum(sign > "\x7f" for sign in text) - bad:
        mends.add("bytes")
        return text
    mends.add("charset")
    return body.decode(_guessed(body, strange), "replace")


def _plausible(body: bytes, codec: str) -> bool:
    """Whether the bytes are plausible text in this charset."""
    matches = _matches(body)
    return not matches or any(codec in codecs for _, codecs in matches)


def _guessed(body: bytes, strange: int) -> str:
    """The likeliest charset; Windows-1252, the most common, unless another is likelier."""
    matches = _matches(body) if strange >= _EVIDENCE else []
    likeliest = [codec for chaos, codecs in matches if chaos == matches[0][0] for codec in codecs]
    return "cp1252" if not likeliest or "cp1252" in likeliest else likeliest[0]


def _matches(body: bytes) -> list[tuple[float, list[str]]]:
    """Charsets that the bytes may be in, likeliest first: each group with its measure of disorder."""
    from charset_normalizer import from_bytes

    lines = [line for line in body.splitlines() if not line.isascii()]
    found = from_bytes(b"\n".join(lines)[:_SAMPLE])
    named = [(match.chaos, [_codec(name) for name in match.could_be_from_charset]) for match in found]
    return [(chaos, [codec for codec in codecs if codec]) for chaos, codecs in named]
