"""Pages are read from either side: the style sheet says start and end, not left and right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.hub import assets

STATIC = Path(assets.__file__).parent / "static"
DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;{}]+)(?=[;}])")
VALUE = re.compile(r"(?:[^\s()]|\((?:[^()]|\([^()]*\))*\))+")
SIDES = re.compile(r"\b(?:left|right)\b")
FOUR_SIDES = frozenset(("margin", "padding", "inset", "border-width", "border-style", "border-color"))
EXCEPTIONS: frozenset[str] = frozenset()
"""Declarations that mean a side of the screen, whoever reads, as they stand in the file."""


def one_sided(css: str) -> list[str]:
    """The declarations that differ between the left and the right."""
    found = []
    for name, text in DECLARATION.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        first, second, third, fourth = expanded(VALUE.findall(text))
        differs = name in FOUR_SIDES and second != fourth
        differs |= name == "border-radius" and (first != second or third != fourth)
        if differs or SIDES.search(f"{name} {text}") or "translateX" in text:
            found.append(f"{name}: {text.strip()}")
    return found


def expanded(values: list[str]) -> tuple[str, str, str, str]:
    """What a shorthand of one to four values means for each of four sides or corners."""
    first, *rest = values
    second = rest[0] if rest else first
    return first, second, rest[1] if len(rest) > 1 else first, rest[2] if len(rest) > 2 else second


@pytest.mark.parametrize(
    "css",
    [
        "a { margin-left: 1rem }",
        "a{text-align:right}",
        "a { inset: 0 0 0 auto; color: red; }",
        "a { padding: var(--a) calc(1px + (2px * 3)) 0 var(--b); }",
        "a { border-top-left-radius: 4px }",
        "a { border-radius: 4px 0 0 4px; }",
        "a { border-radius: 4px 0; }",
        "a { transform: translateX(2px); }",
        "@media (min-width: 1px) { a { float: left; } }",
    ],
)
def test_a_side_is_found(css: str) -> None:
    assert len(one_sided(css)) == 1


@pytest.mark.parametrize(
    "css",
    [
        "a { margin: 0 1px 2px 1px; border-radius: 4px 4px 0 0; text-align: start; inset-inline: auto 0; }",
        "/* left */ a { padding: 1px 2px; margin-inline-start: 1px; border-radius: 4px; }",
    ],
)
def test_start_and_end_are_no_sides(css: str) -> None:
    assert one_sided(css) == []


@pytest.mark.parametrize("sheet", sorted(STATIC.glob("*.css")), ids=lambda sheet: sheet.name)
def test_no_style_names_a_side(sheet: Path) -> None:
    assert [one for one in one_sided(sheet.read_text()) if one not in EXCEPTIONS] == []
