"""Points for what is done beside sharing: each act once, and taken back when it is withdrawn."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald_contracts import words
from services.gamification.domain.ledger import Fact
from services.gamification.domain.rules import DEFAULT_RULES
from services.gamification.explanations import explain
from tests.unit.gamification.harness import LedgerHarness, fact

NOWHERE: dict[str, Any] = {"post_id": None, "content_id": None, "network": None}


def act(kind: str, id: str, **changes: Any) -> Fact:
    return fact(kind, cause=f"{kind}-of-{id}", act_id=id, **{**NOWHERE, **changes})


@pytest.mark.parametrize("kind", words.ACTS)
def test_each_act_has_a_rule_and_a_sentence(kind: str) -> None:
    [entry] = LedgerHarness().take([act(kind, "a1")])
    name = kind.replace("_", "-")  # as the names of rules are written
    rule = DEFAULT_RULES.find(name)
    assert rule is not None
    assert (entry.points, entry.rule, entry.act_id) == (rule.points, name, "a1")
    for text in explain(entry, rule).values():
        assert kind not in text.split() or kind in ("article", "podcast", "event")
        assert "×" not in text


def test_an_act_that_is_told_twice_earns_once() -> None:
    harness = LedgerHarness()
    harness.take([act("talk", "a1")])
    assert harness.take([act("talk", "a1", cause_id="told-again")]) == []


def test_a_withdrawn_act_earns_nothing_in_whatever_order_that_is_told() -> None:
    harness = LedgerHarness()
    told = [act("talk", "a1"), act("removal", "a1"), act("talk", "a2"), fact("share", "p1")]
    for order in permutations(told):
        harness = LedgerHarness().take_all([[one] for one in order])
        assert harness.points() == 40 + 10
        harness.take_all([told, told])
        assert harness.points() == 40 + 10
    [reversal] = [one for one in harness.entries.values() if one.reverses]
    said = explain(reversal, DEFAULT_RULES.find("talk"))
    assert said["en"] == "This does not count after all; its points were taken back."


@given(st.permutations([act("referral", f"a{n}") for n in range(5)] + [act("removal", "a1"), act("removal", "a3")]))
def test_what_is_kept_beside_the_ledger_is_its_sum(order: list[Fact]) -> None:
    harness = LedgerHarness().take_all([[one] for one in order])
    assert harness.points() == sum(one.points for one in harness.entries.values())
    assert 0 <= harness.points() <= 3 * 15
