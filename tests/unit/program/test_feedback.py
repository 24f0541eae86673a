"""Questions and comments: the states of one, in whatever order things are done to it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain.feedback import (
    MAX_WAITING,
    Feedback,
    FeedbackKind,
    Said,
    answer_feedback,
    check_room,
    take_back,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LANGUAGES = ("fr", "en")
PUBLIC = {"en": Said("May I show it?", "Yes.")}


def written(kind: FeedbackKind = "comment") -> Feedback:
    return Feedback("f1", "p1", 1, kind, "ada", "en", "Too many posts", NOW, NOW, item_id="i1")


def answered(before: Feedback, now: datetime = NOW, **changes: Any) -> Feedback:
    values: dict[str, Any] = {"answer": "Thank you.", "public": {}, "done": False, **changes}
    return answer_feedback(before, LANGUAGES, "max", now, **values)


def test_an_answer_in_private_is_told_to_nobody_else() -> None:
    one = answered(written())
    assert (one.state, one.unseen, one.published_at, one.answered_by) == ("answered", True, None, "max")
    assert answered(one) is one


def test_what_was_in_public_can_be_taken_out_again() -> None:
    one = answered(written(), public=PUBLIC, done=True)
    later = NOW + timedelta(days=1)
    assert one.published_at == NOW
    reworded = answered(one, later, public={"en": Said("May we?", "Yes.")}, done=True)
    assert (reworded.published_at, reworded.answered_at) == (NOW, NOW)
    assert answered(reworded, later).published_at is None


@pytest.mark.parametrize(
    ("kind", "changes", "error"),
    [
        ("comment", {"public": {"de": Said("Ja?", "Ja.")}}, ("public.de", "language-unknown")),
        ("question", {"public": PUBLIC, "done": True}, ("done", "comments-only")),
        ("comment", {"done": True}, ("done", "public-only")),
    ],
)
def test_what_makes_no_answer_is_named(kind: FeedbackKind, changes: Any, error: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        answered(written(kind), **changes)
    assert [(one.field, one.rule) for one in raised.value.errors] == [error]


def test_one_person_waits_for_so_many_answers() -> None:
    check_room(MAX_WAITING - 1)
    with pytest.raises(Conflict) as raised:
        check_room(MAX_WAITING)
    assert raised.value.type == "too-many-waiting"


def test_what_is_taken_back_leaves_nothing_of_the_person() -> None:
    assert take_back(answered(written()), NOW) is None
    left = take_back(answered(written(), public=PUBLIC), NOW)
    assert left is not None
    assert left.public == PUBLIC
    kept = {one.name: getattr(left, one.name) for one in fields(left)}
    assert not {"ada", "Too many posts", "Thank you.", "i1"} & {str(value) for value in kept.values()}


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.booleans(), st.booleans()), max_size=8))
def test_each_change_is_a_version_and_only_what_is_public_has_a_date(acts: list[tuple[str, bool, bool]]) -> None:
    one = written()
    for number, (answer, public, done) in enumerate(acts):
        after = answered(
            one,
            NOW + timedelta(minutes=number),
            answer=answer,
            public=PUBLIC if public else {},
            done=done and public,
        )
        assert after.version - one.version == (after is not one)
        assert (after.published_at is not None) == public
        assert after.done <= public
        if after.answer == one.answer:
            assert after.answered_at == one.answered_at
        one = after
