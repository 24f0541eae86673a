"""Waves: their states, their dates, who enters, and what a decision needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid, Problem
from services.program.domain import waves
from services.program.domain.people import Segment
from services.program.domain.waves import Criteria, Wave
from tests.unit.program.test_people import person

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
TODAY = NOW.date()
FIRST, LAST = date(2026, 3, 2), date(2026, 4, 12)
PLAN: dict[str, Any] = {
    "name": "Pilot",
    "starts_on": FIRST,
    "ends_on": LAST,
    "criteria": Criteria(everybody=True),
}


def wave(id: str = "pilot", others: tuple[Wave, ...] = (), **changes: Any) -> Wave:
    return waves.new_wave(id, "program", others, NOW, **{**PLAN, **changes})


def started(one: Wave, *others: Wave) -> Wave:
    return waves.start_wave(one, others, 24, max(TODAY, one.starts_on), NOW)


def decided(one: Wave, decision: Any = "go", day: date = LAST) -> Wave:
    return waves.decide_wave(one, decision, "They like it.", ["marc"], "marc", day, NOW)


def later(others: tuple[Wave, ...], days: int = 1, **changes: Any) -> Wave:
    first = LAST + timedelta(days=days)
    return wave("second", others, starts_on=first, ends_on=first + timedelta(days=20), name="Second", **changes)


def faults(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(one.field, one.rule) for one in refused.value.errors]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"ends_on": date(2026, 3, 1)}, ("ends_on", "before-start")),
        ({"criteria": Criteria()}, ("criteria", "empty-segment")),
        ({"criteria": Criteria(everybody=True, people=("ada",))}, ("criteria", "empty-segment")),
        ({"criteria": Criteria(segment=Segment(teams=("IT",)), people=("ada",))}, ("criteria", "empty-segment")),
    ],
)
def test_a_wave_that_cannot_be_planned_is_refused(wrong: dict[str, Any], fault: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        wave(**wrong)
    assert faults(refused) == [fault]
    with pytest.raises(Invalid):
        waves.change_wave(wave(), (), TODAY, NOW, **wrong)


@given(start=st.integers(-60, 60), length=st.integers(0, 60), decided_after=st.none() | st.integers(0, 60))
def test_waves_of_a_programme_share_no_day(start: int, length: int, decided_after: int | None) -> None:
    """Of one that was decided on early, the days that it did not use are free."""
    one = wave()
    if decided_after is not None:
        one = decided(started(one), day=FIRST + timedelta(days=decided_after))
    first = FIRST + timedelta(days=start)
    last = first + timedelta(days=length)
    days = {FIRST + timedelta(days=n) for n in range((one.last_day - FIRST).days + 1)}
    shared = days & {first + timedelta(days=n) for n in range(length + 1)}
    if not shared:
        wave("other", (one,), starts_on=first, ends_on=last)
        return
    with pytest.raises(Invalid) as refused:
        wave("other", (one,), starts_on=first, ends_on=last)
    [fault] = refused.value.errors
    assert fault.rule == "overlap"
    assert fault.params == {"name": "Pilot", "first": "2026-03-02", "last": one.last_day.isoformat()}


def test_a_wave_begins_on_its_days_and_with_somebody() -> None:
    for day, problem in ((FIRST - timedelta(days=1), Conflict), (LAST + timedelta(days=1), Invalid)):
        with pytest.raises(problem):
            waves.start_wave(wave(), (), 24, day, NOW)
    with pytest.raises(Conflict) as refused:
        waves.start_wave(wave(), (), 0, TODAY, NOW)
    assert refused.value.type == "cohort-empty"
    assert waves.start_wave(wave(), (), 1, TODAY, NOW).started_at == NOW


def test_the_next_wave_waits_for_a_decision() -> None:
    pilot = started(wave())
    second = later((pilot,))
    with pytest.raises(Conflict) as refused:
        started(second, pilot)
    assert (refused.value.type, refused.value.extras["name"]) == ("wave-undecided", "Pilot")
    assert started(second, decided(pilot)).state == "running"


def test_after_a_no_go_something_has_to_differ() -> None:
    pilot = decided(started(wave()), "no_go")
    with pytest.raises(Invalid) as refused:
        started(later((pilot,)), pilot)
    assert faults(refused) == [("changes", "after-no-go")]
    assert started(later((pilot,), changes="One mail a week, not five."), pilot).state == "running"


@pytest.mark.parametrize(
    ("reasons", "who", "missing"),
    [("", ["marc"], ["reasons"]), (" \n", ["marc"], ["reasons"]), ("Why not", [], ["decided_by"])],
)
def test_a_go_without_reasons_or_names_is_none(reasons: str, who: list[str], missing: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        waves.decide_wave(started(wave()), "go", reasons, who, "marc", TODAY, NOW)
    assert faults(refused) == [(name, "required") for name in missing]


def test_what_runs_keeps_its_beginning_and_its_criteria() -> None:
    one = started(wave())
    for name, value in (("starts_on", date(2026, 3, 1)), ("criteria", Criteria(people=("ada",)))):
        with pytest.raises(Invalid) as refused:
            waves.change_wave(one, (), TODAY, NOW, **{name: value})
        assert faults(refused) == [(name, "started")]
    with pytest.raises(Invalid) as refused:
        waves.change_wave(one, (), TODAY, NOW, ends_on=TODAY - timedelta(days=1))
    assert faults(refused) == [("ends_on", "past")]
    assert waves.change_wave(one, (), TODAY, NOW, ends_on=TODAY, goal="More").ends_on == TODAY


def test_a_decision_is_taken_back_until_the_next_wave_starts() -> None:
    pilot = decided(started(wave()))
    assert waves.reopen_wave(pilot, (later((pilot,)),), NOW).state == "running"
    with pytest.raises(Conflict) as refused:
        waves.reopen_wave(pilot, (started(later((pilot,)), pilot),), NOW)
    assert refused.value.type == "wave-followed"
    early = decided(started(wave()), day=TODAY)
    meanwhile = wave("second", (early,), starts_on=TODAY + timedelta(days=1))
    with pytest.raises(Invalid) as overlapping:
        waves.reopen_wave(early, (meanwhile,), NOW)
    assert faults(overlapping) == [("ends_on", "overlap")]


ACTS: dict[str, Callable[[Wave], Wave]] = {
    "change": lambda one: waves.change_wave(one, (), TODAY, NOW, name=f"{one.name}+"),
    "start": lambda one: waves.start_wave(one, (), 24, TODAY, NOW),
    "withdraw": lambda one: waves.withdraw_wave(one, NOW),
    "go": lambda one: waves.decide_wave(one, "go", "Good.", ["marc"], "marc", TODAY, NOW),
    "no go": lambda one: waves.decide_wave(one, "no_go", "Bad.", ["marc"], "marc", TODAY, NOW),
    "reopen": lambda one: waves.reopen_wave(one, (), NOW),
}
LEADS_TO = {
    "change": {"planned": "planned", "running": "running"},
    "start": {"planned": "running", "running": "running"},
    "withdraw": {"planned": "planned", "running": "planned"},
    "go": {"running": "decided", "decided": "decided"},
    "no go": {"running": "decided", "decided": "decided"},
    "reopen": {"running": "running", "decided": "running"},
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=14))
def test_whatever_is_tried_a_wave_is_where_its_acts_lead(acts: list[str]) -> None:
    one = wave()
    for act in acts:
        before = one
        try:
            one = ACTS[act](before)
        except Problem:
            refused = before.state not in LEADS_TO[act]
            assert refused or (before.state == "decided" and before.decision != act.replace(" ", "_"))
            continue
        assert one.state == LEADS_TO[act][before.state]
        assert one.version == before.version + (one is not before)
        assert (one.started_at is None) == (one.state == "planned")
        settled = (one.decision, one.closed_on, one.decided_at, one.recorded_by)
        assert all(settled) if one.state == "decided" else not any(settled)
        assert bool(one.reasons) == bool(one.decided_by) == (one.state == "decided")
        if act != "change":
            assert ACTS[act](one) is one


Beside = Callable[[Wave, list[Wave], date, int], Wave]
BESIDE_OTHERS: dict[str, Beside] = {
    "start": lambda one, others, today, _: waves.start_wave(one, others, 9, today, NOW),
    "withdraw": lambda one, _, __, ___: waves.withdraw_wave(one, NOW),
    "go": lambda one, _, today, __: waves.decide_wave(one, "go", "Good.", ["marc"], "marc", today, NOW),
    "no go": lambda one, _, today, __: waves.decide_wave(one, "no_go", "Bad.", ["marc"], "marc", today, NOW),
    "reopen": lambda one, others, _, __: waves.reopen_wave(one, others, NOW),
    "longer": lambda one, others, today, days: waves.change_wave(
        one, others, today, NOW, ends_on=one.ends_on + timedelta(days=days - 20)
    ),
}
STEPS = st.tuples(st.sampled_from(["plan", "wait", *sorted(BESIDE_OTHERS)]), st.integers(0, 3), st.integers(0, 40))


@given(st.lists(STEPS, max_size=25))
def test_whatever_is_done_to_the_waves_of_a_programme_one_runs_and_none_shares_a_day(
    steps: list[tuple[str, int, int]],
) -> None:
    """Each step is of one of the waves, on the day to which the waits before it led."""
    found: list[Wave] = []
    today = FIRST
    for number, (step, which, days) in enumerate(steps):
        others = [one for place, one in enumerate(found) if place != which]
        with suppress(Problem):
            if step == "wait":
                today += timedelta(days=days)
            elif step == "plan":
                first = today + timedelta(days=which)
                last = first + timedelta(days=days)
                changes = {"starts_on": first, "ends_on": last, "changes": "Fewer mails."}
                found.append(wave(f"w{number}", tuple(found), **changes))
            elif which < len(found):
                found[which] = BESIDE_OTHERS[step](found[which], others, today, days)
        assert len([one for one in found if one.state == "running"]) <= 1
        for one, other in combinations(found, 2):
            assert one.last_day < other.starts_on or other.last_day < one.starts_on, step
        for one in found:
            assert one.state == "planned" or one.starts_on <= min(today, one.last_day)
            earlier = waves.previous(one, found)
            assert earlier is None or earlier.last_day < one.starts_on


@given(
    day=st.dates(FIRST - timedelta(days=9), LAST + timedelta(days=9)),
    act=st.sampled_from(["planned", "running", "decided"]),
)
def test_nobody_enters_a_wave_that_is_over(day: date, act: str) -> None:
    states: dict[str, Wave] = {"planned": wave(), "running": started(wave()), "decided": decided(started(wave()))}
    one = states[act]
    assert waves.takes_in(one, person(), day) == (act == "running" and day <= LAST)
    assert waves.state_on(one, day) == ("ended" if act == "running" and day > LAST else act)


@pytest.mark.parametrize(
    ("criteria", "taken"),
    [
        (Criteria(everybody=True), {"ada", "bea"}),
        (Criteria(people=("bea", "zoe")), {"bea"}),
        (Criteria(segment=Segment(countries=("FR",))), {"ada"}),
        (Criteria(segment=Segment(teams=("IT", "HR"), leaders_only=True)), {"bea"}),
        (Criteria(segment=Segment(countries=("FR",), teams=("HR",))), set()),
        (Criteria(segment=Segment(sites=("Lyon",))), {"bea"}),
    ],
)
def test_who_meets_the_criteria(criteria: Criteria, taken: set[str]) -> None:
    ada = replace(person(), id="ada", country="FR", team="IT", leader=False, site=None)
    bea = replace(ada, id="bea", country="DE", team="HR", leader=True, site="Lyon")
    assert {one.id for one in (ada, bea) if criteria.take(one)} == taken


def test_the_wave_before_is_the_last_that_was_started() -> None:
    pilot = decided(started(wave()))
    skipped = later((pilot,))
    third = wave("third", (pilot, skipped), starts_on=date(2026, 6, 1), ends_on=date(2026, 7, 1))
    assert waves.previous(third, (pilot, skipped)) == pilot
    assert waves.previous(pilot, (skipped, third)) is None


def test_a_cohort_is_reminded_in_the_last_week_of_a_wave_that_is_long_enough() -> None:
    running = replace(waves.new_wave("w", "p", [], NOW, **PLAN), state="running")
    days = [LAST - timedelta(days=n) for n in (8, 7, 0, -1)]
    assert [waves.reminds_on(running, one) for one in days] == [False, True, True, False]
    assert not waves.reminds_on(replace(running, state="planned"), LAST)
    short = replace(running, starts_on=LAST - timedelta(days=14))
    assert not waves.reminds_on(short, LAST)
    assert waves.reminds_on(replace(short, starts_on=LAST - timedelta(days=15)), LAST)
