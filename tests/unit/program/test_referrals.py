"""The states of a referral: forward only, counted once, and forgotten when it has to be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid, Refused
from services.program.domain import referrals
from services.program.domain.referrals import OVER, STEPS, Referral, ReferralLink, ReferralState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEPT = timedelta(days=180)
LINK = ReferralLink("code", "p1", "job", "ada", NOW)
STATES: tuple[ReferralState, ...] = (*STEPS, "rejected", "withdrawn")


def applied(*, own: bool = False, consented_at: datetime | None = NOW, delete_on: date | None = None) -> Referral:
    return referrals.apply(
        "r1", LINK, "ATS-1", own=own, consented_at=consented_at, delete_on=delete_on, kept=KEPT, now=NOW
    )


def test_nobody_refers_themselves() -> None:
    with pytest.raises(Refused) as raised:
        applied(own=True)
    assert raised.value.type == "own-referral"


@pytest.mark.parametrize(
    ("consented_at", "delete_on", "field", "rule"),
    [
        (None, None, "consented_at", "consent-missing"),
        (NOW + timedelta(days=1), None, "consented_at", "future"),
        (NOW, NOW.date(), "delete_on", "past"),
    ],
)
def test_without_consent_nothing_is_kept(
    consented_at: datetime | None, delete_on: date | None, field: str, rule: str
) -> None:
    with pytest.raises(Invalid) as raised:
        applied(consented_at=consented_at, delete_on=delete_on)
    assert [(one.field, one.rule) for one in raised.value.errors] == [(field, rule)]


@pytest.mark.parametrize(("asked", "days"), [(None, 180), (10, 10), (400, 180)])
def test_a_candidate_is_forgotten_no_later_than_they_asked_for(asked: int | None, days: int) -> None:
    on = NOW.date() + timedelta(days=asked) if asked else None
    one = applied(delete_on=on)
    assert one.delete_at.date() == NOW.date() + timedelta(days=days)
    assert referrals.forget(one, one.delete_at - timedelta(seconds=1)) is one
    gone = referrals.forget(one, one.delete_at)
    assert (gone.candidate, gone.state) == (None, "applied")
    assert referrals.forget(gone, one.delete_at) is gone


@given(st.lists(st.sampled_from(STATES), max_size=10))
def test_whatever_the_recruiting_system_says_a_referral_only_goes_on(said: list[ReferralState]) -> None:
    one, acts = applied(), []
    for number, state in enumerate(said):
        before = one
        try:
            one = referrals.move(before, state, act_ids=(f"referral-{number}", f"hire-{number}"), now=NOW)
        except Conflict:
            assert one is before
            assert state != before.state
            continue
        acts += [
            act for act in (one.referral_act, one.hire_act) if act not in (None, before.referral_act, before.hire_act)
        ]
        assert referrals.move(one, state, act_ids=("x", "y"), now=NOW) is one
        if state == before.state:
            assert one is before
        if before.state in OVER:
            assert one.state == before.state
        elif state in STEPS:
            assert before.state in STEPS
            assert STEPS.index(one.state) >= STEPS.index(before.state)
        if state == "withdrawn" and one is not before:
            assert one.candidate is None
        assert (one.referral_act is not None) >= (one.hire_act is not None)
        assert (one.hire_act is not None) == (one.state == "hired")
    assert len(acts) <= 2
    reached = [STEPS.index(state) for state in said if state in STEPS]
    assert bool(acts) <= (max(reached, default=0) >= STEPS.index("in_review"))


Step = Literal["forget", "reward", "unreward"] | ReferralState
DONE: tuple[Step, ...] = ("forget", "reward", "unreward", *STATES)


@given(st.lists(st.tuples(st.sampled_from(DONE), st.integers(0, 90)), max_size=14))
def test_whatever_is_done_a_candidate_is_forgotten_and_only_a_hire_is_rewarded(steps: list[tuple[Step, int]]) -> None:
    one, now = applied(), NOW
    for number, (step, days) in enumerate(steps):
        before, now = one, now + timedelta(days=days)
        try:
            if step == "forget":
                one = referrals.forget(one, now)
                assert one.candidate is None or now < one.delete_at
            elif step == "reward":
                one = referrals.reward(one, now)
            elif step == "unreward":
                one = referrals.unreward(one, now)
            else:
                one = referrals.move(one, step, act_ids=(f"referral-{number}", f"hire-{number}"), now=now)
        except Conflict:
            assert one is before
        assert one.version == before.version + (one is not before)
        assert (one.candidate or before.candidate) == before.candidate, "who is forgotten stays so"
        assert one.rewarded_at is None or one.state == "hired"
        assert (one.delete_at, one.consented_at, one.person_id) == (before.delete_at, NOW, "ada")


def test_a_reward_is_for_a_hire() -> None:
    with pytest.raises(Conflict) as raised:
        referrals.reward(applied(), NOW)
    assert raised.value.type == "referral-not-hired"
    hired = referrals.move(applied(), "hired", act_ids=("a", "b"), now=NOW)
    given_ = referrals.reward(hired, NOW)
    assert given_.rewarded_at == NOW
    assert referrals.reward(given_, NOW) is given_
    assert referrals.unreward(referrals.unreward(given_, NOW), NOW).rewarded_at is None
