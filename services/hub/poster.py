"""A poster on paper that invites whoever passes by: one page A4 as PDF, with a QR code of the link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from unicodedata import normalize

import regex
from fontTools import subset
from fontTools.ttLib import TTFont
from fpdf import FPDF

from services.hub.qr import modules

WIDTH: Final = 210.0
HEIGHT: Final = 297.0
MARGIN: Final = 18.0
CODE: Final = 96.0
"""Millimetres: read from two metres."""
HERALD: Final = "#4531c4"
INK: Final = "#1d1930"
SOFT: Final = "#5c5670"
FACE: Final = files("fontpkg_figtree") / "files" / "Figtree[wght].ttf"
WEIGHTS: Final = {"": {"wght": 400.0}, "B": {"wght": 700.0}}
"""The pages' typeface, of which a PDF would show the lightest."""
OTHER_FACE: Final = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
"""For whole texts of which the pages' typeface lacks a sign."""
OTHER_WEIGHTS: Final = {style: {**axes, "wdth": 100.0} for style, axes in WEIGHTS.items()}
SCRIPTS: Final = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Common}\p{Inherited}]*")
"""Those that are set sign by sign, from left to right."""
MAX_TEXTS: Final = 6


@dataclass(frozen=True, slots=True)
class Words:
    """What the poster says in one language."""

    headline: str
    scan: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Poster:
    """`url` is what the code leads to, `colour` and `text_colour` are the programme's own, empty for ours."""

    program: str
    url: str
    texts: Sequence[Words]
    colour: str = ""
    text_colour: str = ""


def _set(text: str) -> str:
    """The text as it is set: composed, with the spaces that the typefaces have."""
    return normalize("NFC", text).replace("\u202f", "\u00a0")


def unwritable(text: str) -> str:
    """The signs of a text that no typeface of the poster has, each once; empty where it can be written."""
    signs = dict.fromkeys(_set(text))
    if _face(text):
        return ""
    missing = [one for one in signs if not _has(_other_signs(), one) or not SCRIPTS.fullmatch(one)]
    return "".join(missing or [one for one in signs if not _has(_signs(), one)])


def can_write(text: str) -> bool:
    """Whether one of the typefaces of the poster has each sign of a text."""
    return bool(_face(text))


def _face(text: str) -> str:
    """The typeface that a text is set in; empty where none can write it."""
    written = _set(text)
    if all(_has(_signs(), one) for one in written):
        return "Figtree"
    if SCRIPTS.fullmatch(written) and all(_has(_other_signs(), one) for one in written):
        return "Noto"
    return ""


def _has(signs: frozenset[int], sign: str) -> bool:
    return ord(sign) in signs or sign.isspace()


def draw(poster: Poster) -> bytes:
    """The PDF. What no typeface can write is left out (`can_write`)."""
    pdf = FPDF(format="A4")
    pdf.set_title(poster.program)
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    with as_file(FACE) as path:
        pdf.add_font("Figtree", fname=path, variations=WEIGHTS)
    texts = [one for one in poster.texts if can_write(one.headline)][:MAX_TEXTS]
    with TemporaryDirectory() as folder:
        said = [poster.program, *(part for one in texts for part in (one.headline, one.scan, one.below))]
        if others := "".join(_set(one) for one in said if _face(one) == "Noto"):
            pdf.add_font("Noto", fname=_part_of_other_face(others, Path(folder)), variations=OTHER_WEIGHTS)
        pdf.add_page()
        band = _band(pdf, poster, [one.headline for one in texts])
        _code(pdf, poster.url, band + 14)
        below = [(one.scan, one.below) for one in texts if one.scan]
        _below(pdf, poster.url, below, band + 14 + CODE + 8)
        return bytes(pdf.output())


def _part_of_other_face(text: str, folder: Path) -> Path:
    """A file with the signs of a text alone: to bring all of the typeface to one weight takes seconds."""
    font = TTFont(BytesIO(OTHER_FACE.read_bytes()))
    chosen = subset.Subsetter(subset.Options(layout_features=[]))
    chosen.populate(text=text + " \u00a0")
    chosen.subset(font)
    path = folder / "part.ttf"
    font.save(path)
    return path


def _band(pdf: FPDF, poster: Poster, headlines: Sequence[str]) -> float:
    """The programme's name and the headlines on its colour; how far down they reach."""
    size = 34.0 if len(headlines) <= 2 else 24.0
    limit = HEIGHT - CODE - 84
    while True:
        tall = [_lines(pdf, one, size) * size * 0.42 for one in headlines]
        bottom = 44 + sum(tall) + 5 * len(tall)
        if bottom <= limit or size <= 12:
            break
        size -= 2
    pdf.set_fill_color(poster.colour or HERALD)
    pdf.rect(0, 0, WIDTH, min(bottom, limit), style="F")
    pdf.set_text_color(poster.text_colour or "#ffffff")
    if can_write(poster.program):
        _write(pdf, poster.program, 20, 14, "B")
    at = 38.0
    for number, one in enumerate(headlines):
        _write(pdf, one, at, size, "" if number else "B")
        at += tall[number] + 5
    return min(bottom, limit)


def _lines(pdf: FPDF, text: str, size: float) -> int:
    pdf.set_font(_face(text), "B", size)
    lines = pdf.multi_cell(WIDTH - 2 * MARGIN, text=_set(text), dry_run=True, output="LINES")
    assert isinstance(lines, list)
    return len(lines)


def _write(pdf: FPDF, text: str, at: float, size: float, style: str = "") -> None:
    pdf.set_font(_face(text), style, size)
    pdf.set_xy(MARGIN, at)
    pdf.multi_cell(WIDTH - 2 * MARGIN, size * 0.42, _set(text), align="L")


def _code(pdf: FPDF, url: str, at: float) -> None:
    """The code as squares, sharp at any size, with a quarter of it to spare."""
    rows = modules(url)
    side = CODE / len(rows)
    pdf.set_fill_color(INK)
    for row, line in enumerate(rows):
        column = 0
        while column < len(line):
            run = 0
            while column + run < len(line) and line[column + run]:
                run += 1
            if run:
                pdf.rect((WIDTH - CODE) / 2 + column * side, at + row * side, run * side, side, style="F")
            column += run or 1


def _below(pdf: FPDF, url: str, texts: Sequence[tuple[str, str]], at: float) -> None:
    pdf.set_text_color(INK)
    pdf.set_font("Figtree", "B", 11)
    pdf.set_xy(MARGIN, at)
    pdf.cell(WIDTH - 2 * MARGIN, 6, url, align="C", link=url)
    at += 11
    for scan, below in texts:
        for text, style, size in ((scan, "B", 13), (below, "", 10)):
            pdf.set_text_color(INK if style else SOFT)
            pdf.set_font(_face(text), style, size)
            pdf.set_xy(MARGIN, at)
            pdf.multi_cell(WIDTH - 2 * MARGIN, size * 0.42, _set(text), align="C")
            at = pdf.get_y() + 1.5
        at += 3


@cache
def _signs() -> frozenset[int]:
    return frozenset(TTFont(BytesIO(FACE.read_bytes())).getBestCmap())


@cache
def _other_signs() -> frozenset[int]:
    return frozenset(TTFont(BytesIO(OTHER_FACE.read_bytes())).getBestCmap())
