"""What is declared as an expert: what can be, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import expert_acts
from services.program.domain.expert_acts import ExpertAct

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOW.date()
WAIT, STANDS = timedelta(days=60), timedelta(days=730)
LINK = "https://conference.example/talk"


def declared(*, link: str = LINK, happened_on: date = TODAY) -> ExpertAct:
    return expert_acts.declare(
        "a1",
        "p1",
        "ada",
        act="talk",
        title="Events",
        link=link,
        happened_on=happened_on,
        today=TODAY,
        now=NOW,
        wait=WAIT,
    )


@pytest.mark.parametrize(
    "link",
    [
        "http://localhost/talk",
        "http://wiki/talk",
        "https://wiki.corp/talk",
        "https://files.home.arpa./talk",
        "http://10.0.0.7/talk",
        "http://127.0.0.1/talk",
        "http://0x7f.1/talk",
        "http://169.254.169.254/latest",
        "http://[::1]/talk",
        "http://[fd00::7]/talk",
        "http://[::ffff:10.0.0.7]/talk",
    ],
)
def test_a_link_that_not_everybody_can_follow_is_refused(link: str) -> None:
    with pytest.raises(Invalid) as raised:
        declared(link=link)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("link", "not-public")]


@pytest.mark.parametrize("link", [LINK, "http://93.184.216.34/talk", "https://www.example.com./talk"])
def test_a_public_link_is_taken(link: str) -> None:
    assert declared(link=link).state == "declared"


@pytest.mark.parametrize(
    ("day", "rule"), [(TODAY + timedelta(days=1), "future"), (TODAY - timedelta(days=366), "too-long-ago")]
)
def test_only_what_happened_in_the_last_year_is_taken(day: date, rule: str) -> None:
    with pytest.raises(Invalid) as raised:
        declared(happened_on=day)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("happened_on", rule)]


STEPS = {
    "confirm": lambda one, now: expert_acts.confirm(one, by="max", act_id=f"act-{one.version}", stands=STANDS, now=now),
    "refuse": lambda one, now: expert_acts.refuse(one, by="max", reason="No.", now=now),
    "reopen": lambda one, now: expert_acts.reopen(one, wait=WAIT, now=now),
    "withdraw": expert_acts.withdraw,
    "expire": expert_acts.expire,
}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 100)), max_size=12))
def test_whatever_is_done_it_counts_only_while_a_manager_says_so(steps: list[tuple[str, int]]) -> None:
    one, now = declared(), NOW
    for step, days in steps:
        now += timedelta(days=days)
        before = one
        try:
            one = STEPS[step](before, now)
            again = STEPS[step](one, now)
        except Conflict:
            assert one is before
            continue
        assert again is one  # repeating changes nothing
        assert one.version - before.version == (one is not before)
        if before.state in ("withdrawn", "expired"):
            assert one is before
        if one.state == "confirmed":
            assert (one.act_id, one.decided_by) != (None, None)
            assert before.state in ("declared", "confirmed")
        if one.state == "expired" and before is not one:
            assert before.expires_at <= now
        if one.state == "declared":
            assert one.act_id is None


def test_confirmed_again_it_is_another_act() -> None:
    first = STEPS["confirm"](declared(), NOW)
    second = STEPS["confirm"](STEPS["reopen"](first, NOW), NOW)
    assert (first.act_id, first.expires_at) == ("act-1", NOW + STANDS)
    assert second.act_id == "act-3"
