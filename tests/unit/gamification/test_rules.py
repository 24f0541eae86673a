"""Versions of rules, time zones, periods, words and ranks."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Invalid
from services.gamification.domain.periods import PERIODS, bounds, label, labels
from services.gamification.domain.rules import (
    ALWAYS,
    DEFAULT_RULES,
    MAX_RULES_SHOWN,
    Program,
    Rule,
    RuleSet,
    next_rules,
    zone_of,
)
from services.gamification.domain.standings import GroupStanding, rank_groups, ranked
from services.gamification.explanations import explain
from services.gamification.schemas import RuleBody
from tests.unit.gamification.harness import NOON, PARIS, LedgerHarness, fact

DAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))
SHARE = Rule("share", "share", 1)


def test_a_later_decision_replaces_what_was_scheduled() -> None:
    scheduled = RuleSet(2, NOON + timedelta(days=30), (SHARE,))
    urgent = RuleSet(3, NOON, (SHARE,))
    program = Program("p", PARIS.zone, (DEFAULT_RULES, scheduled, urgent))
    assert program.rules_at(NOON - timedelta(days=1)).version == 1
    assert program.rules_at(NOON).version == 3
    assert program.rules_at(NOON + timedelta(days=60)).version == 3


def test_new_rules_count_from_now_unless_they_say_when() -> None:
    now = next_rules(PARIS, [SHARE], valid_from=None, now=NOON, changed_by="mia")
    assert (now.version, now.valid_from, now.changed_by) == (2, NOON, "mia")
    later = next_rules(PARIS, [SHARE], valid_from=NOON + timedelta(days=1), now=NOON, changed_by="mia")
    assert later.valid_from == NOON + timedelta(days=1)


def test_rules_are_never_retroactive() -> None:
    with pytest.raises(Invalid) as refused:
        next_rules(PARIS, [SHARE], valid_from=NOON - timedelta(seconds=1), now=NOON, changed_by="mia")
    assert [(one.field, one.rule) for one in refused.value.errors] == [("valid_from", "not-retroactive")]


def test_what_was_imported_earns_only_from_the_day_that_the_rules_of_its_coming_name() -> None:
    day = timedelta(days=1)
    since = RuleSet(2, NOON, (SHARE,), imported_since=date(2026, 2, 1))
    programme = Program("p", PARIS.zone, (DEFAULT_RULES, since, RuleSet(3, NOON + 9 * day, (SHARE,))))
    old, older = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
    cases = [(old, NOON - day, None), (old, NOON, since), (older, NOON, None), (old, NOON + 9 * day, None)]
    for occurred_at, imported_at, rules in cases:
        assert programme.rules_for(occurred_at, imported_at) is rules
        harness = LedgerHarness({"paris": programme})
        harness.take([fact("share", occurred_at=occurred_at, imported_at=imported_at)])
        assert harness.points() == (1 if rules else 0)
    assert programme.rules_for(old, None) is DEFAULT_RULES


@pytest.mark.parametrize("rule", DEFAULT_RULES.rules, ids=lambda rule: rule.id)
def test_rules_that_herald_starts_with_can_be_sent_back(rule: Rule) -> None:
    values = {name: getattr(rule, name) for name in ("id", "act", "points", "acts_a_day", "points_a_day")}
    assert RuleBody.model_validate({**values, "networks": list(rule.networks)}).id == rule.id


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        next_rules(PARIS, [SHARE, SHARE], valid_from=None, now=NOON, changed_by="mia")
    assert [(one.field, one.rule) for one in refused.value.errors] == [("rules.1.id", "unique")]


def test_a_lesson_is_on_no_network() -> None:
    with pytest.raises(Invalid) as raised:
        next_rules(
            PARIS, [Rule("l", "lesson", 5, networks=("x",)), Rule("m", "lesson", 5)], valid_from=None, now=NOON,
            changed_by="m",
        )  # fmt: skip
    assert [(one.field, one.rule) for one in raised.value.errors] == [("rules.0.networks", "networks-of-no-post")]


def test_one_act_earns_by_ten_rules_at_most() -> None:
    some = [Rule(f"r{number}", "share", 1, ("x", "linkedin")[number % 2 : number % 2 + 1]) for number in range(20)]
    next_rules(PARIS, some, valid_from=None, now=NOON, changed_by="mia")
    with pytest.raises(Invalid) as refused:
        next_rules(PARIS, [*some, Rule("all", "share", 1)], valid_from=None, now=NOON, changed_by="mia")
    assert [(one.field, one.rule) for one in refused.value.errors] == [("rules", "too-many-for-one-act")]


def test_versions_are_shown_page_by_page_the_latest_first() -> None:
    rules = [tuple(Rule(f"r{number}", "share", 1) for number in range(size)) for size in (0, 200, 400)]
    versions = tuple(RuleSet(version, ALWAYS, rules[version % 3]) for version in range(1, 12))
    program = Program("paris", PARIS.zone, versions)
    seen: list[int] = []
    before: int | None = None
    while True:
        page, before = program.page(before=before, limit=4)
        assert 1 <= len(page) <= 4
        assert len(page) == 1 or sum(len(one.rules) for one in page) <= MAX_RULES_SHOWN
        seen += [one.version for one in page]
        if before is None:
            break
    assert seen == list(range(11, 0, -1))


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 50)), max_size=6), st.integers(-60, 60))
def test_a_new_version_never_changes_what_was_in_force(changes: list[tuple[int, int]], moment: int) -> None:
    """Whatever is decided at a time, the rules of every moment before it stay."""
    program, now = PARIS, NOON - timedelta(hours=60)
    asked = NOON + timedelta(hours=moment)
    for decided_at, delay in sorted(changes):
        now = max(now, NOON + timedelta(hours=decided_at))
        before = program.rules_at(asked).version
        rules = next_rules(program, [SHARE], valid_from=now + timedelta(hours=delay), now=now, changed_by="mia")
        program = Program(program.id, program.zone, (*program.rule_sets, rules))
        if asked < now:
            assert program.rules_at(asked).version == before


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "x" * 200, "a\0b"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(name)


def test_time_zones_come_with_herald() -> None:
    """A slim container image has none of its own."""
    try:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()
        assert zone_of("Europe/Paris").utcoffset(datetime(2026, 7, 1)) == timedelta(hours=2)  # noqa: DTZ001
    finally:
        zoneinfo.reset_tzpath()


def test_labels_of_a_day() -> None:
    assert labels(date(2027, 1, 1)) == ("2026-W53", "2027-01", "2027-Q1", "all")
    assert labels(date(2026, 12, 31)) == ("2026-W53", "2026-12", "2026-Q4", "all")


@given(DAYS)
def test_a_period_is_exactly_its_days(day: date) -> None:
    for period in PERIODS:
        span = bounds(period, day)
        if span is None:
            continue
        first, last = span
        assert first <= day <= last
        name = label(period, day)
        assert label(period, first) == label(period, last) == name
        assert label(period, first - timedelta(days=1)) != name
        assert label(period, last + timedelta(days=1)) != name


@given(DAYS, DAYS)
def test_days_of_different_periods_have_different_labels(one: date, other: date) -> None:
    for period in PERIODS:
        same = label(period, one) == label(period, other)
        assert same == (bounds(period, one) == bounds(period, other))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.data())
def test_ranks_of_any_stretch_are_those_of_the_whole(points: list[int], data: st.DataObject) -> None:
    points.sort(reverse=True)
    scores = [(str(index), value) for index, value in enumerate(points)]
    above = Counter[str]()
    for id, value in scores:
        above[id] = sum(other > value for other in points)
    start = data.draw(st.integers(0, len(points) - 1))
    stretch = scores[start : data.draw(st.integers(start + 1, len(points)))]
    found = ranked(stretch, start=start, first_rank=above[stretch[0][0]] + 1)
    assert [(one.id, one.points, one.rank) for one in found] == [(id, value, above[id] + 1) for id, value in stretch]


def test_teams_are_ranked_by_points_per_head() -> None:
    found = rank_groups([("big", 100, 50), ("small", 9, 3), ("tied", 6, 2), ("idle", 0, 4), ("gone", 5, 0)])
    assert found == [
        GroupStanding(1, "small", 9, 3, 3.0),
        GroupStanding(1, "tied", 6, 2, 3.0),
        GroupStanding(3, "big", 100, 50, 2.0),
    ]


def test_why_a_point_was_given() -> None:
    harness = LedgerHarness()
    share, clicks, like, gone = harness.take(
        [
            fact("share", network="whatsapp"),
            fact("click", quantity=30),
            fact("like", network="x"),
            fact("removal"),
        ]
    )
    said = [explain(entry, DEFAULT_RULES.find(entry.rule)) for entry in (share, clicks, like, gone)]
    assert [one["en"] for one in said] == [
        "You shared an item by WhatsApp: 10 points.",
        "30 people followed your link on LinkedIn (the day’s limit is reached: 40 points of 60): 2 points each.",
        "1 like for your share on X: 1 point.",
        "Your share by WhatsApp was taken back, and its points with it.",
    ]
    assert [one["fr"] for one in said] == [
        "Vous avez partagé un contenu par WhatsApp : 10 points.",
        "30 personnes ont suivi votre lien sur LinkedIn (la limite du jour est atteinte : 40 points sur 60) : "
        "2 points l’unité.",
        "1 mention « j’aime » pour votre partage sur X : 1 point.",
        "Votre partage par WhatsApp a été retiré : ses points le sont aussi.",
    ]


def test_three_lessons_of_a_day_earn_points() -> None:
    lessons = [fact("lesson", cause=f"l-{number}", post_id=None, content_id=None, network=None) for number in range(4)]
    harness = LedgerHarness()
    entries = harness.take(lessons)
    assert [one.points for one in entries] == [5, 5, 5]
    assert harness.take(lessons) == []
    said = explain(entries[0], DEFAULT_RULES.find("lesson"))
    assert said["en"] == "You completed a lesson: 5 points."
    assert said["fr"] == "Vous avez suivi une leçon\u00a0: 5 points."


def test_a_rule_that_is_unknown_is_not_made_up() -> None:
    [entry] = LedgerHarness().take([fact("comment", occurred_at=datetime(2026, 1, 1, tzinfo=UTC))])
    assert explain(entry, None)["en"] == "1 comment on your share on LinkedIn."


def test_acts_and_networks_of_a_newer_version_are_named_as_they_are() -> None:
    [entry] = LedgerHarness().take([fact("comment")])
    newer = entry._replace(act="quote", network="bluesky")
    assert explain(newer, None) == {"fr": "1 × quote sur bluesky.", "en": "1 × quote on bluesky."}


def test_numbers_are_written_as_the_language_writes_them() -> None:
    [crowd] = LedgerHarness().take([fact("like", quantity=1200)])
    said = explain(crowd, None)
    assert (said["fr"].partition(" mentions")[0], said["en"].partition(" likes")[0]) == ("1\u202f200", "1,200")
