"""Pulse surveys: their states, what an answer may hold, and what is shown of how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid, Problem
from services.program.domain import surveys
from services.program.domain.programs import today
from services.program.domain.surveys import HIDDEN, Answer, Crowd, Survey, Tally
from services.program.domain.waves import Member
from tests.unit.program.test_people import program

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
LEAST = 5
ENOUGH = Crowd(LEAST)
ASKED = {"fr": "J’ai le temps.", "en": "I have the time."}
DRAFT: dict[str, Any] = {
    "title": "March",
    "opens_on": date(2026, 3, 2),
    "closes_on": date(2026, 3, 13),
    "enps": True,
    "questions": (ASKED, ASKED),
    "prompt": ASKED,
}


def survey(**changes: Any) -> Survey:
    return surveys.new_survey("survey", program(), NOW, **{**DRAFT, **changes})


@pytest.mark.parametrize(
    ("wrong", "field", "rule"),
    [
        ({"closes_on": date(2026, 3, 1)}, "closes_on", "before-start"),
        ({"enps": False, "questions": ()}, "questions", "required"),
        ({"questions": (ASKED, {"fr": "Seul"})}, "questions.1.en", "language-missing"),
        ({"prompt": {**ASKED, "de": "Wort"}}, "prompt.de", "language-unknown"),
    ],
)
def test_a_survey_that_cannot_be_asked_is_refused(wrong: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        survey(**wrong)
    assert [(one.field, one.rule) for one in refused.value.errors] == [(field, rule)]
    with pytest.raises(Invalid):
        surveys.change_survey(survey(), program(), NOW, **{**DRAFT, **wrong})


def test_a_survey_of_one_is_never_asked() -> None:
    with pytest.raises(Conflict) as refused:
        surveys.open_survey(survey(), program(), Crowd(LEAST - 1), LEAST, NOW)
    assert refused.value.type.endswith("too-few-ambassadors")
    assert surveys.open_survey(survey(), program(), ENOUGH, LEAST, NOW).state == "open"


WAVES: tuple[str | None, ...] = (None, "pilot", "second", "third")


@given(
    sizes=st.fixed_dictionaries({wave: st.integers(0, 9) for wave in WAVES}),
    wanted=st.permutations(WAVES),
)
def test_no_group_that_surveys_tell_apart_is_smaller_than_the_threshold(
    sizes: dict[str | None, int], wanted: list[str | None]
) -> None:
    """`sizes` has how many are in which wave, None for those in none; a survey asks one wave, or (None) everybody."""
    everybody = sum(sizes.values())
    shown: list[Survey] = []
    for wave in wanted:
        one = survey(wave_id=wave)
        apart = surveys.subtracted(one, shown)
        over = everybody - sum(sizes.get(each, 0) for each in apart) if apart else 0
        try:
            surveys.open_survey(one, program(), Crowd(sizes.get(wave, 0) if wave else everybody, over), LEAST, NOW)
        except Conflict:
            continue
        shown.append(one)
    asked = {one.wave_id for one in shown}
    known = [sizes.get(wave, 0) if wave else everybody for wave in asked]
    waves = sorted(wave for wave in asked if wave)
    for some in (chosen for count in range(len(waves) + 1) for chosen in combinations(waves, count)):
        known += [everybody - sum(sizes.get(wave, 0) for wave in some)] if None in asked else []
    assert all(not size or size >= LEAST for size in known)


def test_a_wave_is_asked_apart_from_everybody_else() -> None:
    asked = surveys.open_survey(survey(wave_id="pilot"), program(), ENOUGH, LEAST, NOW)
    there = Member("p|ada", "prog", "ada", "pilot", NOW)
    answer, day = Answer(9, (4, 4)), date(2026, 3, 4)
    surveys.check_answer(asked, answer, there, day)
    for other in (None, replace(there, wave_id="second"), replace(there, left_at=NOW)):
        with pytest.raises(Conflict) as refused:
            surveys.check_answer(asked, answer, other, day)
        assert refused.value.type.endswith("not-in-wave")
        surveys.check_answer(replace(asked, wave_id=None), answer, other, day)


def test_days_are_those_of_the_programme() -> None:
    """Paris is an hour before UTC."""
    opened = surveys.open_survey(survey(), program(), ENOUGH, LEAST, NOW)
    before_midnight, after = datetime(2026, 3, 13, 22, 59, tzinfo=UTC), datetime(2026, 3, 13, 23, 0, tzinfo=UTC)
    assert surveys.is_running(opened, today(program(), before_midnight))
    assert not surveys.is_running(opened, today(program(), after))
    assert not surveys.is_running(opened, date(2026, 3, 1))
    with pytest.raises(Invalid):
        surveys.open_survey(survey(), program(), ENOUGH, LEAST, after)


ACTS: dict[str, Callable[[Survey], Survey]] = {
    "change": lambda one: surveys.change_survey(one, program(), NOW, title=f"{one.title}+"),
    "open": lambda one: surveys.open_survey(one, program(), ENOUGH, LEAST, NOW),
    "withdraw": lambda one: surveys.withdraw_survey(one, NOW),
    "close": lambda one: surveys.close_survey(one, NOW),
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_whatever_is_tried_a_closed_survey_stands_and_versions_rise(acts: list[str]) -> None:
    one = survey()
    for act in acts:
        before = one
        try:
            one = ACTS[act](before)
        except Problem:
            one = before
        assert one.version == before.version + (one is not before)
        if before.state == "closed":
            assert one is before
        if before.state == "open":
            assert (one.title, one.questions) == (before.title, before.questions)
        if one.state == "closed" and before.state != "closed":
            assert before.state == "open"
        if one is not before and act != "change":
            assert ACTS[act](one) is one


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        (Answer(None, (1, 2)), ["enps"]),
        (Answer(3, (1,)), ["scores.1"]),
        (Answer(3, (1, 2, 3)), ["scores.2"]),
        (Answer(3, (1, 2), "Words"), []),
    ],
)
def test_an_answer_fits_what_is_asked(answer: Answer, fields: list[str]) -> None:
    opened = surveys.open_survey(survey(), program(), ENOUGH, LEAST, NOW)
    if not fields:
        return surveys.check_answer(opened, answer, None, NOW.date())
    with pytest.raises(Invalid) as refused:
        surveys.check_answer(opened, answer, None, NOW.date())
    assert [one.field for one in refused.value.errors] == fields
    with pytest.raises(Conflict):
        surveys.check_answer(survey(), answer, None, NOW.date())
    return None


def test_what_is_not_asked_is_not_taken() -> None:
    opened = replace(survey(enps=False, prompt={}), state="open")
    with pytest.raises(Invalid) as refused:
        surveys.check_answer(opened, Answer(9, (1, 2), "Words"), None, NOW.date())
    assert [(one.field, one.rule) for one in refused.value.errors] == [("enps", "not-asked"), ("text", "not-asked")]


SCORES = st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5), st.integers(1, 5)), max_size=12)


def counted(answers: list[tuple[int, int, int]]) -> Tally:
    columns = list(zip(*answers, strict=True)) or [(), (), ()]
    enps, *scores = [dict(Counter(str(score) for score in column)) for column in columns]
    return Tally(len(answers), enps, tuple(scores))


@given(SCORES)
def test_below_the_threshold_nothing_is_told_whoever_answered(answers: list[tuple[int, int, int]]) -> None:
    closed = replace(survey(), state="closed")
    found = surveys.results(closed, counted(answers), LEAST)
    if len(answers) < LEAST:
        assert found == HIDDEN
        return
    column = [enps for enps, _, _ in answers]
    promoters, detractors = sum(one >= 9 for one in column), sum(one <= 6 for one in column)
    assert found.enps == round(100 * (promoters - detractors) / len(column), 1)
    assert found.recommendation is not None
    assert found.recommendation.distribution == tuple(column.count(score) for score in range(11))
    for number, one in enumerate(found.questions, 1):
        scores = [answer[number] for answer in answers]
        assert one.mean == round(sum(scores) / len(scores), 2)
        assert sum(one.distribution) == found.answers == len(answers)


@pytest.mark.parametrize("state", ["draft", "open"])
def test_nobody_watches_answers_come_in(state: Any) -> None:
    with pytest.raises(Conflict):
        surveys.results(replace(survey(), state=state), counted([(9, 5, 5)] * 9), LEAST)


def test_enps_is_what_its_source_says() -> None:
    assert surveys.enps({"10": 3, "9": 2, "8": 2, "7": 1, "6": 1, "0": 1}) == 30.0
    assert surveys.enps({"6": 4}) == -100.0
    with pytest.raises(ValueError, match="nobody"):
        surveys.enps({})
