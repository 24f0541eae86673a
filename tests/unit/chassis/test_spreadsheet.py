"""What Herald exports is safe to open."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.spreadsheet import csv_lines, delimiter


@pytest.mark.parametrize(
    "text", ["=1+1", "+33 1 23", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("http://x","y")']
)
def test_a_formula_is_kept_text(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(csv_lines([[text]]), newline=""))
    assert cell == "'" + text


def test_numbers_stay_numbers() -> None:
    assert csv_lines([[-5, 1.5, True, False, None, "a;b"]], ";") == '-5;1.5;yes;no;;"a;b"\r\n'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=5), st.sampled_from(",;"))
def test_no_cell_begins_like_a_formula_and_none_is_lost(texts: list[str], sign: str) -> None:
    [cells] = csv.reader(io.StringIO(csv_lines([texts], sign), newline=""), delimiter=sign)
    for text, cell in zip(texts, cells, strict=True):
        assert cell in (text, "'" + text)
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_values_are_separated_as_the_reader_s_spreadsheet_expects() -> None:
    assert [delimiter(language) for language in ("fr", "de-AT", "en-GB")] == [";", ";", ","]
