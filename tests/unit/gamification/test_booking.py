"""What facts earn, by rule and limit, whatever batches they come in and however often they are told."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import derived_id
from services.gamification.domain.ledger import Allowance, Fact, Total, allowance, balance_changes, grant
from services.gamification.domain.periods import labels
from services.gamification.domain.rules import ALWAYS, DEFAULT_RULES, Program, Rule, RuleSet
from tests.unit.gamification.harness import NOON, PARIS, LedgerHarness, fact, with_rules

TIGHT = with_rules(
    Rule("share", "share", 10, acts_a_day=2),
    Rule("share-here", "share", 4, networks=("linkedin",), points_a_day=6),
    Rule("click", "click", 2, points_a_day=7),
    Rule("like", "like", 1, acts_a_day=3),
)


@st.composite
def posts_in_order(draw: st.DrawFn) -> list[Fact]:
    """What one ambassador shared and took back, in their order, some of it told twice."""
    ambassador = draw(st.sampled_from(["ann", "ben"]))
    told: list[Fact] = []
    for number in range(draw(st.integers(0, 5))):
        moment = NOON + timedelta(hours=draw(st.integers(-14, 30)))
        share = fact(
            "share",
            f"{ambassador}-{number}",
            ambassador_id=ambassador,
            network=draw(st.sampled_from(["linkedin", "x"])),
            occurred_at=moment,
        )
        told.append(share)
        if draw(st.booleans()):
            told.append(share._replace(act="removal", cause_id=f"removal-{share.post_id}"))
    again = draw(st.lists(st.integers(0, 20), max_size=3))
    return told + [told[index % len(told)]._replace(cause_id=f"again-{index}") for index in again if told]


@st.composite
def engagements(draw: st.DrawFn) -> list[Fact]:
    """What came of the posts of one ambassador."""
    ambassador = draw(st.sampled_from(["ann", "ben"]))
    return [
        fact(
            draw(st.sampled_from(["click", "like"])),
            f"{ambassador}-{draw(st.integers(0, 4))}",
            cause=f"{ambassador}-engagement-{number}",
            ambassador_id=ambassador,
            quantity=draw(st.sampled_from([1, 1, 1, 2, 5])),
            occurred_at=NOON + timedelta(hours=draw(st.integers(-14, 30))),
        )
        for number in range(draw(st.integers(0, 10)))
    ]


def interleaved(streams: list[list[Fact]], seed: int) -> list[Fact]:
    """One sequence that keeps the order of each stream."""
    chance = random.Random(seed)
    waiting = [list(stream) for stream in streams if stream]
    merged = []
    while waiting:
        stream = chance.choice(waiting)
        merged.append(stream.pop(0))
        waiting = [one for one in waiting if one]
    return merged


def cut(facts: list[Fact], seed: int) -> list[list[Fact]]:
    chance = random.Random(seed)
    batches: list[list[Fact]] = [[]]
    for one in facts:
        if batches[-1] and chance.random() < 0.4:
            batches.append([])
        batches[-1].append(one)
    return batches


STREAMS = st.tuples(posts_in_order(), engagements())
SEEDS = st.integers(0, 10_000)


@given(STREAMS, SEEDS)
def test_balances_and_totals_are_the_sums_of_the_ledger(streams: tuple[list[Fact], list[Fact]], seed: int) -> None:
    harness = LedgerHarness({"paris": TIGHT}).take_all(cut(interleaved(list(streams), seed), seed))
    expected: Counter[tuple[str, str]] = Counter()
    for entry in harness.entries.values():
        for label in labels(entry.day):
            expected[(entry.ambassador_id, label)] += entry.points
    assert {(key.ambassador_id, key.period): points for key, points in harness.balances.items()} == dict(expected)
    assert harness.by_day() == {
        (key.ambassador_id, key.day, key.rule): (total.acts, total.points) for key, total in harness.totals.items()
    }
    assert all(points >= 0 for points in harness.balances.values())


@given(STREAMS, SEEDS)
def test_no_limit_is_exceeded_at_any_moment(streams: tuple[list[Fact], list[Fact]], seed: int) -> None:
    harness = LedgerHarness({"paris": TIGHT})
    for one in interleaved(list(streams), seed):
        harness.take([one])
        for (_, _, rule_id), (acts, points) in harness.by_day().items():
            rule = TIGHT.latest.find(rule_id)
            assert rule is not None
            assert rule.acts_a_day is None or acts <= rule.acts_a_day
            assert rule.points_a_day is None or points <= rule.points_a_day


@given(STREAMS, SEEDS, SEEDS)
def test_any_batches_give_the_same_ledger(streams: tuple[list[Fact], list[Fact]], one: int, other: int) -> None:
    facts = interleaved(list(streams), one)
    whole = LedgerHarness({"paris": TIGHT}).take_all([facts])
    parts = LedgerHarness({"paris": TIGHT}).take_all(cut(facts, other))
    assert parts.entries == whole.entries
    assert parts.totals == whole.totals


@given(STREAMS, SEEDS, SEEDS)
def test_shares_and_engagement_may_overtake_each_other(
    streams: tuple[list[Fact], list[Fact]], one: int, other: int
) -> None:
    """They come on different topics: only the order within each is given."""
    first = LedgerHarness({"paris": TIGHT}).take_all(cut(interleaved(list(streams), one), one))
    second = LedgerHarness({"paris": TIGHT}).take_all(cut(interleaved(list(streams), other), other))
    assert first.entries == second.entries


@given(STREAMS, SEEDS)
def test_a_removed_share_leaves_everything_as_it_was(streams: tuple[list[Fact], list[Fact]], seed: int) -> None:
    facts = interleaved(list(streams), seed)
    before = LedgerHarness({"paris": TIGHT}).take_all([facts])
    balances, totals = +before.balances, {key: total for key, total in before.totals.items() if total != Total()}
    share = fact("share", "one-more")
    before.take_all(cut([share, share._replace(act="removal", cause_id="gone")], seed))
    assert +before.balances == balances
    assert {key: total for key, total in before.totals.items() if total != Total()} == totals


@given(STREAMS, SEEDS, SEEDS)
def test_what_is_told_again_changes_nothing(streams: tuple[list[Fact], list[Fact]], seed: int, again: int) -> None:
    """Without limits every fact has its entry, so that even a forgotten inbox books nothing twice."""
    facts = interleaved(list(streams), seed)
    harness = LedgerHarness().take_all([facts])
    ledger = dict(harness.entries)
    harness.take_all(cut(interleaved([facts], again), again))
    shares = {one.post_id for one in facts if one.act == "share"}
    told_again = {key: entry for key, entry in harness.entries.items() if key not in ledger}
    assert not told_again, shares


def test_the_default_rules() -> None:
    harness = LedgerHarness()
    facts = [fact("share", f"p{number}") for number in range(6)]
    facts += [fact("click", cause=f"c{number}") for number in range(21)]
    facts += [fact("like", quantity=3), fact("comment"), fact("repost")]
    harness.take(facts)
    assert {rule: given for (_, _, rule), given in harness.by_day().items()} == {
        "share": (5, 50),
        "click": (20, 40),
        "like": (3, 3),
        "comment": (1, 3),
        "repost": (1, 5),
    }
    assert harness.points() == 101


def test_what_no_rule_names_earns_nothing() -> None:
    assert LedgerHarness({"paris": with_rules(Rule("share", "share", 10))}).take([fact("click")]) == []


def test_a_rule_may_be_for_some_networks_and_add_to_another() -> None:
    harness = LedgerHarness(
        {"paris": with_rules(Rule("share", "share", 10), Rule("bonus", "share", 5, networks=("x",)))}
    )
    harness.take([fact("share", "a", network="x"), fact("share", "b", network="email")])
    assert sorted((entry.rule, entry.points) for entry in harness.entries.values()) == [
        ("bonus", 5),
        ("share", 10),
        ("share", 10),
    ]


def test_a_day_is_the_programme_s_own() -> None:
    late = fact("share", "late", occurred_at=NOON.replace(hour=22, minute=59))
    later = fact("share", "later", occurred_at=NOON.replace(hour=23))
    harness = LedgerHarness()
    assert [entry.day for entry in harness.take([late, later])] == [date(2026, 3, 2), date(2026, 3, 3)]


def test_a_limit_cuts_what_goes_beyond_it_and_begins_anew_the_next_day() -> None:
    harness = LedgerHarness()
    [entry] = harness.take([fact("click", cause="many", quantity=30)])
    assert (entry.points, entry.acts, entry.worth) == (40, 30, 60)
    assert harness.take([fact("click", cause="one more")]) == []
    [tomorrow] = harness.take([fact("click", cause="next", occurred_at=NOON + timedelta(days=1))])
    assert tomorrow.points == 2


def test_grant_by_acts_and_by_points() -> None:
    rule = Rule("r", "like", 3, acts_a_day=4, points_a_day=10)
    assert grant(rule, 9, Total()) == Total(4, 10)
    assert grant(rule, 1, Total(3, 9)) == Total(1, 1)
    assert grant(rule, 1, Total(4, 9)) == Total(0, 0)


def test_a_share_is_one_share_whatever_its_event_is_called() -> None:
    harness = LedgerHarness()
    harness.take([fact("share", cause="first")])
    assert harness.take([fact("share", cause="second")]) == []
    [entry] = harness.entries.values()
    assert (entry.id, entry.cause_id) == (derived_id("post", "share"), "first")


def test_a_removal_undoes_the_share_and_not_what_came_of_it() -> None:
    harness = LedgerHarness()
    harness.take([fact("share"), fact("click")])
    [entry] = harness.take([fact("removal", occurred_at=NOON + timedelta(days=40))])
    assert (entry.points, entry.acts, entry.day) == (-10, -1, date(2026, 3, 2))
    assert harness.entries[entry.reverses or ""].cause_type == "herald.EngagementRecorded.v1"
    assert (harness.points(), harness.points(period="2026-03"), harness.points(period="2026-04")) == (2, 2, 0)
    assert harness.take([fact("removal", cause="told again")]) == []


def test_a_removal_makes_room_under_the_day_s_limit() -> None:
    harness = LedgerHarness()
    harness.take([fact("share", f"p{number}") for number in range(5)] + [fact("removal", "p0"), fact("share", "p5")])
    assert harness.points() == 50


def test_a_removal_of_what_earned_nothing_takes_nothing() -> None:
    assert LedgerHarness().take([fact("removal")]) == []


def test_an_act_earns_by_the_version_in_force_when_it_happened() -> None:
    later = RuleSet(2, NOON, (Rule("share", "share", 7),))
    program = Program("paris", PARIS.zone, (DEFAULT_RULES, later))
    harness = LedgerHarness({"paris": program})
    entries = harness.take(
        [fact("share", "after"), fact("share", "before", occurred_at=NOON - timedelta(milliseconds=1))]
    )
    assert [(entry.post_id, entry.points, entry.rule_version) for entry in entries] == [
        ("after", 7, 2),
        ("before", 10, 1),
    ]


def test_a_reversal_takes_what_was_given_not_what_would_be_given_now() -> None:
    harness = LedgerHarness()
    harness.take([fact("share")])
    harness.programs = {
        "paris": Program("paris", PARIS.zone, (DEFAULT_RULES, RuleSet(2, ALWAYS, (Rule("share", "share", 99),))))
    }
    [entry] = harness.take([fact("removal")])
    assert (entry.points, entry.rule_version) == (-10, 1)


def test_balances_move_in_every_period_of_the_day() -> None:
    [entry] = LedgerHarness().take([fact("share")])
    changes = {key.period: points for key, points in balance_changes([entry]).items()}
    assert changes == {"2026-W10": 10, "2026-03": 10, "2026-Q1": 10, "all": 10}


# --- what the next share earns ---


@pytest.mark.parametrize(
    ("rules", "so_far", "expected"),
    [
        ([Rule("share", "share", 10, acts_a_day=5)], {}, Allowance(10, 5, 5)),
        ([Rule("share", "share", 10, acts_a_day=5)], {"share": Total(3, 30)}, Allowance(10, 5, 2)),
        ([Rule("share", "share", 10, acts_a_day=5)], {"share": Total(5, 50)}, Allowance(0, 5, 0)),
        ([Rule("share", "share", 10, points_a_day=25)], {"share": Total(2, 20)}, Allowance(5, 3, 1)),
        ([Rule("share", "share", 10, 8 * ("x",), acts_a_day=9, points_a_day=40)], {}, Allowance(10, 4, 4)),
        ([Rule("share", "share", 10)], {"share": Total(99, 990)}, Allowance(10)),
        ([Rule("share", "share", 10), Rule("x", "share", 5, acts_a_day=1)], {"x": Total(1, 5)}, Allowance(10)),
        (
            [Rule("share", "share", 10, acts_a_day=5), Rule("x", "share", 5, acts_a_day=1)],
            {"share": Total(1, 10), "x": Total(1, 5)},
            Allowance(10, 5, 4),
        ),
        ([], {}, Allowance(0)),
    ],
)
def test_the_next_share_earns_what_the_days_limits_leave(
    rules: list[Rule], so_far: dict[str, Total], expected: Allowance
) -> None:
    assert allowance(rules, so_far) == expected


@given(st.integers(1, 30), st.none() | st.integers(1, 12), st.none() | st.integers(1, 200), st.integers(0, 15))
def test_as_many_more_shares_earn_points_as_are_said_to_be_left(
    points: int, acts_a_day: int | None, points_a_day: int | None, shared: int
) -> None:
    rule = Rule("share", "share", points, acts_a_day=acts_a_day, points_a_day=points_a_day)
    total = Total()
    for _ in range(shared):
        given_ = grant(rule, 1, total)
        total = Total(total.acts + given_.acts, total.points + given_.points) if given_.points else total
    found = allowance([rule], {"share": total})
    if found.left is None:
        assert not rule.limited
        return
    for _ in range(found.left):
        given_ = grant(rule, 1, total)
        assert given_.points > 0
        total = Total(total.acts + given_.acts, total.points + given_.points)
    assert grant(rule, 1, total).points == 0
