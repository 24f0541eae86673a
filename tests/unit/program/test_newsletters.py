"""The states of a newsletter, whatever is done to it and in which order; when each reader gets it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import newsletters, quiet_times
from services.program.domain.newsletters import Block, BlockText, Newsletter
from services.program.domain.programs import Program
from services.program.mail.zones import zones

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
DAY = date(2026, 4, 2)
PROGRAM = Program(
    id="g1", version=1, name="Voices", time_zone="Europe/Paris", languages=("fr", "en"), open=True, consent_version=1,
    guidelines_version=0, material_version=0, created_at=NOW, updated_at=NOW,
)  # fmt: skip
SUBJECTS = {"fr": "Voices en mars", "en": "Voices in March"}
BLOCK = Block("text", {"fr": BlockText("Merci", "à tous"), "en": BlockText("Thanks", "to all")})


def draft(**values: Any) -> Newsletter:
    return newsletters.new_newsletter("n1", PROGRAM, NOW, **{"subjects": SUBJECTS, "blocks": (BLOCK,), **values})


ACTS: dict[str, Any] = {
    "change": lambda one: newsletters.change(one, PROGRAM, NOW, subjects={**SUBJECTS, "en": f"v{one.version}"}),
    "approve": lambda one: newsletters.approve(one, "max", NOW),
    "schedule": lambda one: newsletters.schedule(one, PROGRAM, 3, DAY, "09:00", NOW),
    "unschedule": lambda one: newsletters.unschedule(one, NOW),
    "begin": lambda one: newsletters.begin(one, NOW),
    "expand": lambda one: newsletters.expand(one, "p5", NOW),
    "expand-all": lambda one: newsletters.expand(one, None, NOW),
    "stop": lambda one: newsletters.stop(one, NOW),
    "finish": lambda one: newsletters.finish(one, {"sent": 3}, NOW),
}
NEXT = {
    "draft": {"draft", "approved"},
    "approved": {"draft", "approved", "scheduled"},
    "scheduled": {"approved", "scheduled", "sending"},
    "sending": {"sending", "sent", "stopped"},
    "sent": {"sent"},
    "stopped": {"stopped"},
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=25))
def test_only_what_was_approved_is_sent_and_what_was_sent_stays(acts: list[str]) -> None:
    one, approved = draft(), None
    for act in acts:
        before = one
        try:
            one = ACTS[act](before)
        except Conflict:
            continue
        assert one.state in NEXT[before.state], act
        assert (one.version == before.version) == (one is before)
        if act == "approve" and one is not before:
            approved = (one.subjects, one.blocks)
        if one.state not in ("draft",):
            assert (one.subjects, one.blocks) == approved
            assert one.approved_by == "max"
        if before.state in ("sending", "sent", "stopped"):
            assert (one.subjects, one.blocks) == (before.subjects, before.blocks)
        if one.state == "sent":
            assert one.expanded
        assert one.archived == (one.state in ("sending", "sent", "stopped"))


REPEATED = ("approve", "schedule", "unschedule", "stop")


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=10), st.sampled_from(REPEATED))
def test_repeating_changes_nothing(acts: list[str], act: str) -> None:
    one = draft()
    for each in acts:
        with suppress(Conflict):
            one = ACTS[each](one)
    try:
        one = ACTS[act](one)
    except Conflict:
        return
    assert ACTS[act](one) is one


def test_nothing_goes_to_nobody_or_into_the_past() -> None:
    approved = newsletters.approve(draft(), "max", NOW)
    with pytest.raises(Conflict) as nobody:
        newsletters.schedule(approved, PROGRAM, 0, DAY, "09:00", NOW)
    assert nobody.value.type == "no-recipients"
    with pytest.raises(Invalid):
        newsletters.schedule(approved, PROGRAM, 3, DAY - timedelta(days=2), "09:00", NOW)
    with pytest.raises(Conflict):
        newsletters.schedule(draft(), PROGRAM, 3, DAY, "09:00", NOW)


@pytest.mark.parametrize(
    ("block", "field"),
    [
        (Block("text", {"fr": BlockText("Merci")}), "blocks.0.texts.en"),
        (Block("text", {"fr": BlockText("Merci"), "en": BlockText()}), "blocks.0.texts.en.text"),
        (
            Block("text", {"fr": BlockText("Merci"), "en": BlockText("Thanks", picture="https://x.example/a.png")}),
            "blocks.0.texts.en.picture_alt",
        ),
    ],
)
def test_a_block_says_something_in_each_language(block: Block, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft(blocks=(block,))
    assert [one.field for one in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("FR", "2026-04-02T07:00:00+00:00"),
        ("JP", "2026-04-02T00:00:00+00:00"),
        ("US", "2026-04-02T13:00:00+00:00"),
        ("KI", "2026-04-01T21:00:00+00:00"),
        ("ZZ", "2026-04-02T07:00:00+00:00"),
    ],
)
def test_each_reader_gets_it_by_their_own_clock(country: str, expected: str) -> None:
    one = newsletters.schedule(newsletters.approve(draft(), "max", NOW), PROGRAM, 3, DAY, "09:00", NOW)
    person: Any = SimpleNamespace(country=country, time_zone=None, holidays=None)
    assert newsletters.due_at(one, person, PROGRAM, zones()).isoformat() == expected


@given(st.sampled_from(sorted(zones())), st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 23))
def test_mails_are_made_before_the_first_reader_wants_theirs(country: str, day: date, hour: int) -> None:
    one = newsletters.schedule(newsletters.approve(draft(), "max", NOW), PROGRAM, 3, DAY, "09:00", NOW)
    when = f"{hour:02}:00"
    one = replace(one, send_on=day, send_at=when)
    person: Any = SimpleNamespace(country=country, time_zone=None, holidays=None)
    assert newsletters.may_begin(one, newsletters.due_at(one, person, PROGRAM, zones()))


def test_where_the_programme_lies_in_a_country_of_many_zones_its_clock_counts() -> None:
    assert quiet_times.zone_of("US", "America/Chicago", zones()) == "America/Chicago"
    assert quiet_times.zone_of("US", "Europe/Paris", zones()) == "America/New_York"


def test_what_was_prepared_from_days_names_them_in_their_order() -> None:
    with pytest.raises(Invalid) as refused:
        draft(period_first=DAY, period_last=DAY - timedelta(days=1))
    assert [(one.field, one.rule) for one in refused.value.errors] == [("prepared.last", "before-start")]
    assert draft(period_first=DAY, period_last=DAY).period_last == DAY
