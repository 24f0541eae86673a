"""Lessons: their states, how long they take, what is refused, quizzes and paths."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import lessons
from services.program.domain.lessons import (
    MAX_SECONDS,
    Edition,
    Lesson,
    LessonText,
    Path,
    check_edition,
    check_path,
    check_readable,
)
from services.program.domain.quizzes import Choice, Question, judge
from services.program.starters import starter_lessons, starter_paths

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
BOTH = ("fr", "en")
QUESTION = Question("Who?", (Choice("Herald"), Choice("You", True)), "It is always you.")
TEXT = LessonText("First post", "Two taps.", (QUESTION,))


def edition(**changes: Any) -> Edition:
    return Edition(dict.fromkeys(BOTH, replace(TEXT, **changes)))


def draft(**changes: Any) -> Lesson:
    return lessons.create("l", "p", edition(**changes), BOTH, NOW)


def faults(found: Edition, languages: tuple[str, ...] = BOTH) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        check_edition(found, languages)
    return [(one.field, one.rule) for one in raised.value.errors]


@pytest.mark.parametrize(
    "text",
    [
        "Hello <script>alert(1)</script>",
        "Hello < SCRIPT src=//evil>",
        "<img src=x onerror=alert(1)>",
        '<img/src="x"onerror=alert(1)>',
        "<img/onerror=alert(1)>",
        "[here](javascript:alert(1))",
        "[here]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "<iframe src='https://x.example'>",
        "<svg/onload=alert(1)>",
        "[x](data:text/html;base64,AAAA)",
    ],
)
def test_a_lesson_with_a_script_in_it_is_refused_wherever_it_stands(text: str) -> None:
    assert faults(Edition({"en": replace(TEXT, text=text)})) == [("texts.en.text", "script")]
    asked = replace(QUESTION, explanation=text, choices=(Choice(text), Choice("You", True)))
    assert faults(Edition({"en": replace(TEXT, questions=(asked,))})) == [
        ("texts.en.questions.0.explanation", "script"),
        ("texts.en.questions.0.choices.0.text", "script"),
    ]


@pytest.mark.parametrize(
    "text", ["JavaScript : un langage", "On Monday = done; 2 < 3 > 1", "Say <b>no</b>", "onclick = on"]
)
def test_words_that_only_look_like_one_are_taken(text: str) -> None:
    check_edition(edition(text=text), BOTH)


@pytest.mark.parametrize(
    ("choices", "rule"),
    [
        ((Choice("a"), Choice("b")), "no-right-answer"),
        ((Choice("a", True), Choice("b", True)), "nothing-wrong"),
        ((Choice("a", True), Choice("a")), "duplicate"),
    ],
)
def test_a_quiz_needs_a_right_answer_and_a_wrong_one(choices: tuple[Choice, ...], rule: str) -> None:
    asked = replace(QUESTION, choices=choices)
    assert faults(Edition({"en": replace(TEXT, questions=(asked,))})) == [("texts.en.questions.0.choices", rule)]


def test_a_picture_has_words_and_a_video_a_length() -> None:
    found = replace(TEXT, picture="https://x.example/a.png", video="https://x.example/v")
    assert faults(Edition({"en": found})) == [
        ("texts.en.picture_alt", "alternative-text"),
        ("texts.en.video_seconds", "video-length"),
    ]
    assert faults(Edition({"de": TEXT})) == [("texts.de", "language-unknown")]


@given(words=st.integers(0, 1500), video=st.integers(0, 300), questions=st.integers(0, 3), picture=st.booleans())
def test_a_lesson_takes_what_its_parts_take_and_five_minutes_at_most(
    words: int, video: int, questions: int, picture: bool
) -> None:
    found = LessonText(
        "Title",
        "word " * words,
        (Question("", (Choice("", True), Choice("")), ""),) * questions,
        picture="https://x.example/a.png" if picture else None,
        picture_alt="A picture",
        video="https://x.example/v" if video else None,
        video_seconds=video,
    )
    expected = -(-words * 60 // 200) + video + 15 * questions + 10 * picture
    assert found.seconds == expected
    rules = []
    try:
        check_edition(Edition({"en": found}), ("en",))
    except Invalid as refused:
        rules = [one.rule for one in refused.errors]
    assert ("reading-time" in rules) == (expected > MAX_SECONDS)


def test_a_thousand_words_are_taken_and_one_more_is_not() -> None:
    bare = replace(TEXT, questions=())
    check_edition(Edition({"en": replace(bare, text="word " * 1000)}), BOTH)
    assert faults(Edition({"en": replace(bare, text="word " * 1001)})) == [("texts.en.text", "reading-time")]


def test_an_address_takes_no_time_and_an_ideogram_half_a_word() -> None:
    address = "https://x.example/a-very-long-address-of-many-words-that-nobody-reads"
    bare = replace(TEXT, questions=(), text="one two")
    assert replace(bare, text=f"[one]({address}) <{address}> two {address}").seconds == bare.seconds == 1
    assert replace(bare, text="学" * 400).seconds == 60


ACTS = st.lists(st.sampled_from(["write", "publish", "retire"]), max_size=12)


@given(acts=ACTS)
def test_whatever_is_done_to_a_lesson_what_is_read_was_published_in_each_language(acts: list[str]) -> None:
    lesson, before = draft(), draft()
    for number, act in enumerate(acts):
        before = lesson
        try:
            match act:
                case "write":
                    lesson = lessons.write(lesson, edition(text=f"Text {number}"), BOTH, LATER)
                case "publish":
                    lesson = lessons.publish(lesson, BOTH, LATER)
                case _:
                    lesson = lessons.retire(lesson, LATER)
        except Conflict:
            assert (lesson.state, act) == ("retired", "write")
        assert lesson.version == before.version + (lesson != before)
        assert (lesson is before) == (lesson == before)
        assert lesson.edition - before.edition == (before.draft is not None and act == "publish")
        assert lesson.latest in (lesson.draft, lesson.published)
        if lesson.readable:
            assert set(check_readable(lesson).texts) == set(BOTH)
            assert lesson.edition >= 1
        else:
            with pytest.raises(Conflict):
                check_readable(lesson)
        if act == "publish":
            assert lesson.draft is None
        if act == "write":
            assert lesson.published == before.published


def test_a_text_is_missing_only_until_it_is_published() -> None:
    half = lessons.create("l", "p", Edition({"fr": TEXT}), BOTH, NOW)
    with pytest.raises(Invalid) as raised:
        lessons.publish(half, BOTH, LATER)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("texts.en", "language-missing")]


def test_a_draft_that_is_what_is_read_is_none() -> None:
    published = lessons.publish(draft(), BOTH, NOW)
    changed = lessons.write(published, edition(text="New"), BOTH, LATER)
    assert (changed.draft, changed.published) == (edition(text="New"), edition())
    assert lessons.write(changed, edition(), BOTH, LATER).draft is None
    with pytest.raises(Conflict) as raised:
        check_readable(published, edition=2)
    assert (raised.value.type, raised.value.extras) == ("lesson-changed", {"current": 1})


@given(given_=st.lists(st.frozensets(st.integers(0, 3)), max_size=4))
def test_only_the_right_answers_to_all_questions_pass(given_: list[frozenset[int]]) -> None:
    several = Question("Which?", (Choice("a", True), Choice("b"), Choice("c", True)), "a and c")
    text = replace(TEXT, questions=(QUESTION, several))
    if len(given_) < 2 or not given_[0] or not given_[1]:
        with pytest.raises(Invalid):
            judge(text.questions, given_)
        return
    found = judge(text.questions, given_)
    assert found.right == (given_[0] == {1}, given_[1] == {0, 2})
    assert found.passed == (given_[:2] == [{1}, {0, 2}])
    assert found.explanations == ("It is always you.", "a and c")


def test_a_lesson_without_questions_is_passed_by_reading_it() -> None:
    assert judge((), []).passed


def test_a_path_has_lessons_of_the_programme_each_once() -> None:
    with pytest.raises(Invalid) as raised:
        check_path(dict.fromkeys(BOTH, "First day"), ["a", "b", "a"], BOTH, {"a"})
    assert [(one.field, one.rule) for one in raised.value.errors] == [
        ("lesson_ids.1", "unknown"),
        ("lesson_ids.2", "duplicate"),
    ]
    with pytest.raises(Invalid):
        check_path({"fr": "Premier jour"}, [], BOTH, set())
    path = Path("p", "p", 1, 0, {"fr": "Un"}, ("a",), NOW, NOW)
    assert lessons.change_path(path, LATER, titles={"fr": "Un"}, lesson_ids=("a",)) is path
    assert lessons.change_path(path, LATER, lesson_ids=("b",)).version == 2


def test_the_starter_lessons_are_whole_in_both_languages_and_in_one_path_each() -> None:
    assert [one.name for one in starter_lessons()] == [name for path in starter_paths() for name in path.lessons]
    assert {one.name for one in starter_lessons()} == {
        "profile", "first-post", "own-words", "comments", "what-not-to-say", "photos-and-rights", "accessibility",
    }  # fmt: skip
    for one in starter_lessons():
        lesson = lessons.create("l", "p", Edition(one.texts), BOTH, NOW)
        assert lessons.publish(lesson, BOTH, NOW).readable
        french, english = one.texts["fr"], one.texts["en"]
        assert 2 <= len(french.questions) == len(english.questions) <= 3
        assert [q.right for q in french.questions] == [q.right for q in english.questions]
        assert 60 <= max(french.seconds, english.seconds) < MAX_SECONDS
        assert one.text_in("fr-CA") is french
        assert one.text_in("de") is None
    assert all(set(path.titles) == {"fr", "en"} for path in starter_paths())


NAMES = st.sampled_from("abcd")


@given(st.sets(NAMES), st.sets(NAMES), st.lists(st.lists(NAMES, unique=True), max_size=3))
def test_a_path_is_complete_once_each_lesson_of_it_that_can_be_read_is(
    readable: set[str], completed: set[str], placed: list[list[str]]
) -> None:
    made = [
        Path(str(number), "p1", 1, number, {}, tuple(ids), NOW, NOW, "first-day" if number == 0 else None)
        for number, ids in enumerate(placed)
    ]
    found = lessons.completed_paths(made, readable, completed)
    for path in made:
        left = readable & set(path.lesson_ids)
        assert ((path.starter or path.id) in found) == (bool(left) and left <= completed)
    assert set(found) <= set(lessons.completed_paths(made, readable, completed | {"a"}))  # more is never less


def test_the_first_lesson_that_is_left_is_named() -> None:
    lessons.check_completed(["a", "b"], {"a", "b", "c"}, "p1")
    with pytest.raises(Conflict) as raised:
        lessons.check_completed(["a", "b", "c"], {"a"}, "p1")
    assert raised.value.type == "lesson-not-completed"
