"""The demo's own count of points, beside the ledger of gamification under the rules that the demo sets."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from herald.demo.program_steps import TEMPLATE
from herald.demo.tally import Share, Tally
from services.gamification.domain.rules import DEFAULT_RULES, Rule
from services.program.templates import load_templates
from tests.unit.gamification.harness import NOON, LedgerHarness, fact, with_rules

OTHERS = ("referral", "hire", "event")


def rules_of_the_demo() -> list[Rule]:
    """Those of the template, and Herald's own for what it has no rule for."""
    [template] = [one for one in load_templates() if one.name == TEMPLATE]
    own = [
        Rule(one.id, one.act, one.points, tuple(one.networks), one.acts_a_day, one.points_a_day)
        for one in template.rules
    ]
    ruled = {one.act for one in own}
    return own + [one for one in DEFAULT_RULES.rules if one.act not in ruled]


@given(
    shares=st.integers(0, 6),
    clicks=st.integers(0, 40),
    lessons=st.booleans(),
    others=st.fixed_dictionaries({act: st.integers(0, 4) for act in OTHERS}),
)
def test_the_tally_counts_as_the_ledger_books(shares: int, clicks: int, lessons: bool, others: dict[str, int]) -> None:
    tally = Tally(today=date(2026, 3, 2), joined={"ann": "ann@company.example"})
    tally.shares = [Share(f"post-{number}", "ann", "linkedin", "", "content") for number in range(max(1, shares))]
    tally.removed = set() if shares else {"post-0"}
    tally.counted_by_post["post-0"] = clicks
    tally.learned = {"ann"} if lessons else set()
    tally.other_acts |= {act: ["ann"] * number for act, number in others.items()}

    facts = [fact("share", f"post-{number}") for number in range(shares)]
    facts += [fact("click", "post-0", cause=f"click-{number}") for number in range(clicks)]
    nowhere: dict[str, Any] = {"post_id": None, "content_id": None, "network": None, "occurred_at": NOON}
    facts += [fact("lesson", cause="lesson", **nowhere)] if lessons else []
    facts += [fact(act, cause=f"{act}-{number}", **nowhere) for act, count in others.items() for number in range(count)]
    ledger = LedgerHarness({"paris": with_rules(*rules_of_the_demo())})
    ledger.take(facts)
    assert tally.points()["ann"] == ledger.points()


@given(st.lists(st.integers(0, 10), min_size=1, max_size=50))
def test_enps_is_promoters_less_detractors(scores: list[int]) -> None:
    tally = Tally()
    tally.recommendations.update(scores)
    promoters, detractors = sum(one >= 9 for one in scores), sum(one <= 6 for one in scores)
    assert abs(tally.enps - 100 * (promoters - detractors) / len(scores)) <= 0.05 + 1e-9
