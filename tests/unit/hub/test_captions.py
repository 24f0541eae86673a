"""Captions in the share sheet, and what a message may undo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.captions import has_words, with_suggestion, without_link
from services.hub.undo import undo_path


@pytest.mark.parametrize("caption", ["", " \n", "#IWorkHere", "#Pub #Ad @herald", "https://a.example/x", "… !"])
def test_hashtags_and_addresses_are_no_words(caption: str) -> None:
    assert not has_words(caption)


@pytest.mark.parametrize("caption", ["Bravo", "#1 Bravo", "شكراً", "ありがとう #ad", "7"])
def test_any_word_of_any_script_is_one(caption: str) -> None:
    assert has_words(caption)


@given(st.lists(st.from_regex(r"#[\w-]{1,20}", fullmatch=True), max_size=6))
def test_no_number_of_hashtags_says_anything(tags: list[str]) -> None:
    assert not has_words(" ".join(tags))


def test_a_suggestion_takes_the_place_of_what_was_found() -> None:
    check = {"draft": "👩🏽‍🔬 a guaranteed return!"}
    start = check["draft"].index("guaranteed")
    finding = {"start": start, "end": start + len("guaranteed return"), "suggestion": "good result"}
    assert with_suggestion(check, finding) == "👩🏽‍🔬 a good result!"
    assert with_suggestion(check, {**finding, "suggestion": ""}) == "👩🏽‍🔬 a !"


def test_a_share_menu_gets_the_text_without_the_address() -> None:
    post = {"caption": "Bravo\n\n#Ad\nhttps://h.example/l/x", "short_url": "https://h.example/l/x"}
    assert without_link(post) == "Bravo\n\n#Ad"


def test_a_message_undoes_what_it_is_about_and_nothing_else() -> None:
    assert undo_path("post-removed", "019a") == "/posts/019a/restore"
    assert undo_path("post-removed", "../me") is None
    assert undo_path("post-removed", "") is None
    assert undo_path("saved", "019a") is None
