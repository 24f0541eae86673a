"""Posts that worked: what becomes of one, in whatever order things are done to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import examples
from services.program.domain.examples import Example, Words

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LANGUAGES = ("fr", "en")
WHY = {"fr": "Un fait.", "en": "One fact."}
WRITTEN = Words("Half the water.", "linkedin", "en", WHY)


def written(words: Words = WRITTEN) -> Example:
    return examples.write("e1", "p1", words, LANGUAGES, NOW)


def offered(*, named: bool = False) -> Example:
    return examples.offer(
        "e2", "p1", post_id="post", author_id="ada", text="Mine.", network="x", language="en", named=named, now=NOW
    )


STEPS: Mapping[str, Callable[[Example], Example]] = {
    "explain": lambda one: examples.change(one, Words(None, None, None, WHY), LANGUAGES, NOW),
    "half": lambda one: examples.change(one, Words(None, None, None, {"fr": "Un fait."}), LANGUAGES, NOW),
    "reword": lambda one: examples.change(one, Words("Other words.", None, None, WHY), LANGUAGES, NOW),
    "show": lambda one: examples.show(one, LANGUAGES, NOW),
    "retire": lambda one: examples.retire(one, NOW),
    "name": lambda one: examples.name(one, True, NOW),
    "unname": lambda one: examples.name(one, False, NOW),
}


@given(st.sampled_from([written(), offered()]), st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_what_is_shown_says_why_and_keeps_the_words_of_its_author(example: Example, steps: list[str]) -> None:
    one = example
    for step in steps:
        before = one
        try:
            one = STEPS[step](before)
        except (Conflict, Invalid):
            continue
        assert (one is before) == (one == before)
        assert one.version == before.version + (one is not before)
        if before.state == "shown" and step not in ("name", "unname"):
            assert (one.text, one.why) == (before.text, before.why)  # what people read is not changed under them
        if one.state == "shown":
            assert set(one.why) == set(LANGUAGES)
        if example.author_id is not None:
            assert (one.text, one.author_id) == (example.text, example.author_id)
        assert STEPS[step](one) is one  # repeating changes nothing


def test_an_author_is_known_to_readers_only_who_agreed_to_it() -> None:
    assert offered().shown_author is None
    assert examples.name(offered(), True, NOW).shown_author == "ada"
    assert examples.name(offered(named=True), False, NOW).shown_author is None
    assert replace(written(), named=True).shown_author is None


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (Words(None, "x", "en", WHY), ("text", "required")),
        (Words("Text", None, "en", WHY), ("network", "required")),
        (Words("Text", "x", "en", {"de": "Tatsache."}), ("why.de", "language-unknown")),
    ],
)
def test_what_is_incomplete_is_refused_by_field(words: Words, wrong: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        written(words)
    assert [(one.field, one.rule) for one in raised.value.errors] == [wrong]


def test_one_that_does_not_say_why_in_each_language_is_not_shown() -> None:
    with pytest.raises(Invalid) as raised:
        examples.show(written(replace(WRITTEN, why={"fr": "Un fait."})), LANGUAGES, NOW)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("why.en", "language-missing")]
