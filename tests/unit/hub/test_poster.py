"""The printed poster: one page, whatever it says, and only what its typefaces can write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.hub.poster import Poster, Words, can_write, draw, unwritable

URL = "https://herald.example.com/i/q3mZ8kT0vYx2LwPd"
BOTH = [Words("Votre métier mérite d’être raconté\u202f!", "Scannez", "Vous décidez"), Words("Come", "Scan", "Freely")]


def test_a_poster_is_one_page_with_its_address() -> None:
    pdf = draw(Poster("Voix du groupe", URL, BOTH, "#b0413e", "#ffffff"))
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert URL.encode() in pdf


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Œuvrer à Łódź, señor ß", ""),
        ("Cafe\u0301 cre\u0300me", ""),
        ("Расскажите о работе!", ""),
        ("Πείτε την ιστορία σας", ""),
        ("Hãy kể câu chuyện của bạn", ""),
        ("Проект Łódź – naïve", ""),
        ("שלום", "שלום"),
        ("日本 Lyon", "日本"),
        ("मेरा काम", "मेराकम"),
        ("Come 🎉🎉", "🎉"),
        ("Love ♥\ufe0f", "♥\ufe0f"),
    ],
)
def test_a_text_in_a_script_that_no_typeface_has_is_left_out_and_the_poster_stands(text: str, left: str) -> None:
    assert (can_write(text), set(unwritable(text))) == (not left, set(left))
    pdf = draw(Poster(text, URL, [Words(text, "Scan", "Freely"), *BOTH]))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1


def test_what_is_drawn_is_what_was_written_with_a_sign_for_each_letter() -> None:
    """No letter is a box: each has a sign of its own in the typeface, and the text can be copied out of the PDF."""
    text = "Расскажите"
    drawn = draw(Poster("Voices", URL, [Words(text, "Scan", "Freely")]))
    assert b"NotoSans" in drawn.replace(b"-", b"").replace(b" ", b"")
    assert b"NotoSans" not in draw(Poster("Voices", URL, BOTH)).replace(b"-", b"").replace(b" ", b"")


@settings(max_examples=5, deadline=None)
@given(st.lists(st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "Zs")), max_size=120), max_size=8))
def test_headlines_of_any_length_leave_room_for_the_code(headlines: list[str]) -> None:
    pdf = draw(Poster("Voices", URL, [Words(one, "Scan", "Freely") for one in headlines]))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
