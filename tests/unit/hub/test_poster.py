"""The printed poster: one page, whatever it says, and only what its typeface can write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.hub.poster import Poster, Words, can_write, draw

URL = "https://herald.example.com/i/q3mZ8kT0vYx2LwPd"
BOTH = [Words("Votre métier mérite d’être raconté\u202f!", "Scannez", "Vous décidez"), Words("Come", "Scan", "Freely")]


def test_a_poster_is_one_page_with_its_address() -> None:
    pdf = draw(Poster("Voix du groupe", URL, BOTH, "#b0413e", "#ffffff"))
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert URL.encode() in pdf


@pytest.mark.parametrize(
    ("text", "written"), [("Œuvrer à Łódź, señor ß", True), ("Расскажите", False), ("שלום", False), ("日本", False)]
)
def test_a_text_in_another_script_is_left_out_and_the_poster_stands(text: str, written: bool) -> None:
    assert can_write(text) is written
    assert draw(Poster(text, URL, [Words(text), *BOTH])).startswith(b"%PDF")


@settings(max_examples=5, deadline=None)
@given(st.lists(st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "Zs")), max_size=120), max_size=8))
def test_headlines_of_any_length_leave_room_for_the_code(headlines: list[str]) -> None:
    pdf = draw(Poster("Voices", URL, [Words(one, "Scan", "Freely") for one in headlines]))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
