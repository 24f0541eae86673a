"""Phrases are found in every disguise, and in nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sharing.domain.phrases import Phrases, fold

PHRASES = (
    ("guaranteed returns", "en"),
    ("rendement garanti", "fr"),
    ("für den internen Gebrauch", "de"),
    ("確実に儲かる", None),
    ("top secret", None),
)
FINDER = Phrases(PHRASES, "en")


@pytest.mark.parametrize(
    ("text", "phrase", "excerpt"),
    [
        ("Our guaranteed returns!", 0, "guaranteed returns"),
        ("a GUARANTEE return", 0, "GUARANTEE return"),
        ("guaranteed-returns", 0, "guaranteed-returns"),
        ("guaranteed\n  returns", 0, "guaranteed\n  returns"),
        ("gua\u200branteed re\u00adturns", 0, "gua\u200branteed re\u00adturns"),
        ("ＧＵＡＲＡＮＴＥＥＤ ｒｅｔｕｒｎｓ", 0, "ＧＵＡＲＡＮＴＥＥＤ ｒｅｔｕｒｎｓ"),
        ("gu\u0430r\u0430nteed returns", 0, "gu\u0430r\u0430nteed returns"),
        ("güárânteed rétürns", 0, "güárânteed rétürns"),
        ("𝐠𝐮𝐚𝐫𝐚𝐧𝐭𝐞𝐞𝐝 returns", 0, "𝐠𝐮𝐚𝐫𝐚𝐧𝐭𝐞𝐞𝐝 returns"),
        ("#GuaranteedReturns", 0, "GuaranteedReturns"),
        ("#guaranteedreturns", 0, "guaranteedreturns"),
        ("g.u.a.r.a.n.t.e.e.d returns", 0, "g.u.a.r.a.n.t.e.e.d returns"),
        ("guaranteed 🎉 returns", 0, "guaranteed 🎉 returns"),
        ("gua\x00ranteed returns", 0, "gua\x00ranteed returns"),
        ("des RENDEMENTS garantis", 1, "RENDEMENTS garantis"),
        ("fuer den internen Gebrauch", 2, "fuer den internen Gebrauch"),
        ("これは確実に儲かる話", 3, "確実に儲かる"),
        ("TOP-SECRET", 4, "TOP-SECRET"),
        ("top secret's out", 4, "top secret's"),
    ],
)
def test_a_phrase_is_found_in_disguise(text: str, phrase: int, excerpt: str) -> None:
    assert [(one.phrase, text[one.start : one.end]) for one in FINDER.find(text)] == [(phrase, excerpt)]


@pytest.mark.parametrize(
    "text",
    [
        "unguaranteed returns",
        "guaranteed. Returns are sent by post.",
        "guaranteed good returns",
        "returns guaranteed",
        "stop secretly",
        "top\n\nsecret",
        "laptop secrets",
        "",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert FINDER.find(text) == []


@given(st.text(), st.text())
def test_places_are_of_the_text_itself(before: str, after: str) -> None:
    text = f"{before} guaranteed returns {after}"
    found = [one for one in FINDER.find(text) if one.phrase == 0]
    assert any(text[one.start : one.end].startswith("guaranteed") for one in found)
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@given(st.text())
def test_folding_forgets_form_case_and_marks_alone(text: str) -> None:
    folded = fold(text)
    assert len(folded.letters) == len(folded.origin)
    assert list(folded.origin) == sorted(folded.origin)
    assert fold(unicodedata.normalize("NFD", text)).letters == fold(unicodedata.normalize("NFC", text)).letters


@given(st.lists(st.sampled_from("\u200b\u200d\u00ad\u2060\ufeff\u0336\u0301"), min_size=1, max_size=4), st.data())
def test_invisible_characters_anywhere_hide_nothing(invisible: list[str], data: st.DataObject) -> None:
    text = "guaranteed returns"
    for one in invisible:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + one + text[at:]
    assert [match.phrase for match in FINDER.find(text)] == [0]
