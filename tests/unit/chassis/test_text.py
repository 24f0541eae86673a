"""What becomes of text that people bring."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from typing import Annotated

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from chassis.text import Line, Name, Prose, Title, Words, cut, line, markdown, match_key, name, prose, shortened

FAMILY = "👩🏽‍🚀👨‍👩‍👧🏳️‍🌈❤️1️⃣🏴󠁧󠁢󠁳󠁣󠁴󠁿🇫🇷"
PERSIAN = "نامه‌ای می‌خواهم"
HINDI = "क्‍ष न्‍"
ARABIC = "مرحبا بكم في C++\u200f!"
NFD = unicodedata.normalize("NFD", "Élise Müller-Ångström")
# fmt: off
PIECES = st.lists(st.sampled_from([
    "a", "É", "E\u0301", "ﬁ", "ß", "œ", "İ", "1", "#", "!", "«", "»", "-", "–", "’", " ", "\u00a0", "\u202f", "\u2003",
    "\u3000", "\t", "\n", "\r\n", "\x0b", "\x85", "\u2028", "\x00", "\x1b", "\ud800", "\u00ad", "\u200b", "\u200c",
    "\u200d", "\u200e", "\u200f", "\u061c", "\u202e", "\u202c", "\u2066", "\u2069", "\u2060", "\ufeff", "\u2800",
    "\u3164", "\u034f", "\ufe0f", "\ufe0e", "\u20e3", "❤", "👩", "🏽", "🚀", "🏴", "\U000e0067", "\U000e007f", "🇫", "ن",
    "م", "ا", "ש", "क", "्", "ष", "葛", "\U000e0100", "\ufffe", "ᠠ", "\u180b", "\u0301",
]), max_size=12).map("".join)
# fmt: on
TEXTS = st.one_of(st.text(), PIECES)


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("  Ann   Lee ", "Ann Lee"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("Ann\u2003\u202fLee\u3000", "Ann Lee"),
        ("Ann\r\nLee", "Ann Lee"),
        ("Ann\tLee", "Ann Lee"),
        (NFD, "Élise Müller-Ångström"),
        ("An\u00adn\u200b \u2060\ufeffLee\u180e", "Ann Lee"),
        ("Ann\u202eeeL\u202c", "AnneeL"),
        ("\u2066Ann\u2069 \u200eLee\u200f", "Ann Lee"),
        ("A\u200dn\u200cn", "Ann"),
        ("A\x00n\x1bn\ud800\ufffe", "Ann"),
        ("A\U000e0041\U000e0042nn", "Ann"),
        ("E\u200b\u0301lise", "Élise"),
        ("Café\u00a0!", "Café !"),
        ("\u3164", ""),
        ("\u2800 \u200b\u00a0", ""),
        (FAMILY, FAMILY),
        (PERSIAN, PERSIAN),
        (HINDI, HINDI),
        (ARABIC, ARABIC),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("ᠠ\u180b", "ᠠ\u180b"),
        ("R&D 🚀", "R&D 🚀"),
    ],
)
def test_a_name_is_one_line_of_what_is_seen(written: str, cleaned: str) -> None:
    assert name(written) == cleaned


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("Deux\u00a0fois moins", "Deux fois moins"),
        ("Bravo\u00a0! «\u202fOui\u202f» : 1\u202f200\u00a0t", "Bravo\u00a0! «\u202fOui\u202f» : 1\u202f200 t"),
        ("Bravo \u00a0!", "Bravo !"),
        ("\u00a0!", "!"),
    ],
)
def test_no_break_spaces_stay_where_french_sets_them(written: str, cleaned: str) -> None:
    assert line(written) == cleaned
    assert prose(written) == cleaned


def test_prose_keeps_its_lines() -> None:
    assert prose("\r\n One  two \r\n\r\n• three\x0bfour\u2028\u202efive\n \n") == "One two\n\n• three\nfour\nfive"
    assert line("One\n\ntwo") == "One two"
    assert prose(f"{FAMILY}\n{PERSIAN}\n{ARABIC}") == f"{FAMILY}\n{PERSIAN}\n{ARABIC}"


def test_markdown_keeps_the_spaces_that_mean_something() -> None:
    text = "\r\n# Say\u200b\r\n\r\n- one  \r\n  - E\u0301t\u202ee\r\n\r\n      code\r\n"
    assert markdown(text) == "# Say\n\n- one  \n  - Éte\n\n      code"


@given(TEXTS)
@example("1\u00a0\u200b\u00a02")
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    for clean in (name, line, prose):
        once = clean(text)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert once == once.strip()
        assert "  " not in once
        assert not regex.search(r"[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\u200B\u2060\uFEFF]", once.replace("\n", ""))
        once.encode()
    assert "\n" not in name(text) + line(text)


@pytest.mark.parametrize(
    "spellings",
    [
        ["Qualité", "Qualite", "QUALITÉ", "QUALITE", "qualite\u0301", " Qualité\u00a0", "Qua\u00adlité\u200b"],
        ["Human Resources", "Human\u00a0Resources", "human  resources", "ＨＵＭＡＮ\u3000Resources"],
        ["R&D", "R & D", "r&d ", "Ｒ＆Ｄ"],
        ["Ventes – Sud", "Ventes-Sud", "VENTES - SUD", "Ventes‑Sud"],
        ["L’équipe", "L'équipe", "l'Equipe"],
        ["Cœur de métier", "Coeur de metier"],
        ["Straße", "STRASSE", "Strasse", "Straẞe"],
        ["İstanbul", "Istanbul", "istanbul"],
        ["Łódź", "lodz"],
        ["ΑΘΉΝΑ", "Αθήνα", "αθηνα"],
        ["شرکت‌ها", "شرکتها "],
        ["I ❤️ Lyon", "i ❤ lyon"],
    ],
)
def test_spellings_that_look_alike_have_one_key(spellings: list[str]) -> None:
    assert len({match_key(one) for one in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sales", "Sale"),
        ("C", "C++"),
        ("C#", "C++"),
        ("Human Resources", "HumanResources"),
        ("Team 1", "Team 11"),
        ("が", "か"),
        ("Engineering", "🚀"),
    ],
)
def test_what_looks_different_has_different_keys(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)


@given(TEXTS)
def test_a_key_is_that_of_every_spelling(text: str) -> None:
    key = match_key(text)
    assert match_key(name(text)) == key
    assert match_key(key) == key
    assert match_key(f"  {text}\u00a0") == key
    assert bool(key) == bool(name(text)) or not regex.search(r"[\p{L}\p{N}\p{S}]", text)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("ab👩🏽‍🚀c", 5, "ab"),
        ("ab👩🏽‍🚀c", 6, "ab👩🏽‍🚀"),
        ("n\u0323\u0307o", 2, ""),
        ("🇫🇷🇩🇪", 3, "🇫🇷"),
        ("a\r\nb", 2, "a"),
    ],
)
def test_is_cut_between_graphemes(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


def test_is_shortened_between_words_where_they_are_short() -> None:
    assert shortened("one two", 7) == "one two"
    assert shortened("one two three", 9) == "one two…"
    assert shortened("one two three", 8) == "one two…"
    assert shortened("Donaudampfschiff", 8) == "Donauda…"
    assert shortened("abcd👩🏽‍🚀👩🏽‍🚀", 8) == "abcd…"


@given(TEXTS, st.integers(1, 12))
def test_what_is_shortened_is_whole_graphemes_of_the_text(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert text.startswith(short.removesuffix("…")) or short == text
    kept = regex.findall(r"\X", cut(text, limit))
    assert kept == regex.findall(r"\X", text)[: len(kept)]


class _Order(BaseModel):
    team: Annotated[str, Name(5)] = "x"
    title: Annotated[str, Title(300)] = "x"
    note: Annotated[str, Line(10)] = ""
    caption: Annotated[str, Words(8)] = "x"
    summary: Annotated[str, Prose(10)] = ""


def test_a_body_is_cleaned_before_it_is_measured() -> None:
    order = _Order(team=" \u200bE\u0301quip ", title="A \n B", note=" \u00a0", caption="a  b\r\nc \n", summary="\n")
    assert order.model_dump() == {"team": "Équip", "title": "A B", "note": "", "caption": "a b\nc", "summary": ""}


@pytest.mark.parametrize(
    ("values", "type"),
    [
        ({"team": " \u200b\u3164"}, "blank"),
        ({"team": "—"}, "blank"),
        ({"team": "abcdef"}, "string_too_long"),
        ({"title": "\u00a0\n"}, "blank"),
        ({"title": "\u0301"}, "blank"),
        ({"caption": "\u202e"}, "blank"),
        ({"caption": "123456789"}, "string_too_long"),
        ({"caption": 5}, "string_type"),
        ({"summary": "a\ud800"}, "string_unicode"),
    ],
)
def test_a_text_of_nothing_is_refused(values: dict[str, str], type: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _Order(**values)
    assert [one["type"] for one in refused.value.errors()] == [type]


def test_the_schema_says_how_long_a_text_may_be() -> None:
    properties = _Order.model_json_schema()["properties"]
    assert {name: (one.get("minLength"), one["maxLength"]) for name, one in properties.items()} == {
        "team": (1, 5), "title": (1, 300), "note": (None, 10), "caption": (1, 8), "summary": (None, 10),
    }  # fmt: skip


@pytest.mark.parametrize(
    "piece",
    [
        "\u200d",
        "\u200c",
        "\ufe0f",
        "\ufe0f\u200d",
        "ن\u064b\u200c",
        "\u0301\u0323",
        "\u200b",
        "👩\u200d",
        "\u094d\u200d",
    ],
)
@pytest.mark.parametrize("clean", [prose, markdown, name, line])
def test_cleaning_takes_no_more_than_the_length_of_a_text(clean: Callable[[str], str], piece: str) -> None:
    """Ten times the text takes about ten times as long; a hundred times where each letter looks at all the others."""

    def seconds(length: int) -> float:
        text = ("ن" + piece * length)[:length]
        took = []
        for _ in range(3):
            began = time.thread_time()
            clean(text)
            took.append(time.thread_time() - began)
        return min(took)

    assert seconds(20_000) < 0.005 + 25 * seconds(2000)


def test_a_great_many_marks_are_ordered_as_unicode_orders_them() -> None:
    marks = "\u0301\u0323\u0344\u0315" * 20
    text = f"e{marks}a{marks}\u034f{marks}"
    assert prose(text) == unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).replace("\u034f", ""))
