"""Who prepares for a leader, and what becomes of what they prepare: rules without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Problem
from services.program.domain import deputies
from services.program.domain.deputies import MAX_DEPUTIES, MAX_WAITING, Deputy, Prepared
from services.program.domain.people import Membership, Person

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTIES = ("lea", "dan", "eve")


def person(id: str, *, leader: bool = False, joined: bool = True, active: bool = True) -> Person:
    memberships = (Membership("p1", "joined", NOW),) if joined else ()
    return Person(
        id=id,
        name=id.title(),
        country="FR",
        team="IT",
        locale="fr",
        leader=leader,
        active=active,
        memberships=memberships,
        created_at=NOW,
        updated_at=NOW,
    )


LEA, DAN = person("lea", leader=True), person("dan")


def named() -> Deputy:
    return deputies.name("d1", "p1", LEA, DAN, 0, NOW)


def prepared() -> Prepared:
    deputy = deputies.accept(named(), "dan", NOW)
    words = {"content_id": "c1", "language": "en", "caption": "Proud"}
    return deputies.prepare("s1", deputy, LEA, "dan", 0, NOW, **words)


@pytest.mark.parametrize(
    ("leader", "asked", "present", "type_"),
    [
        (person("lea"), DAN, 0, "not-a-leader"),
        (person("lea", leader=True, joined=False), DAN, 0, "not-a-member"),
        (LEA, None, 0, "invalid"),
        (LEA, person("dan", joined=False), 0, "invalid"),
        (LEA, person("dan", active=False), 0, "invalid"),
        (LEA, LEA, 0, "invalid"),
        (LEA, DAN, MAX_DEPUTIES, "too-many-deputies"),
    ],
)
def test_who_can_be_named_by_whom(leader: Person, asked: Person | None, present: int, type_: str) -> None:
    with pytest.raises(Problem) as refused:
        deputies.name("d1", "p1", leader, asked, present, NOW)
    assert refused.value.type == type_


DEPUTY_ACTS: dict[str, Callable[[Deputy, str], Deputy]] = {
    "accept": lambda one, who: deputies.accept(one, who, NOW),
    "decline": lambda one, who: deputies.decline(one, who, NOW),
    "end": lambda one, who: deputies.end(one, who, NOW),
}
MAY = {"accept": {"dan"}, "decline": {"dan"}, "end": {"dan", "lea"}}


@given(st.lists(st.tuples(st.sampled_from(sorted(DEPUTY_ACTS)), st.sampled_from(PARTIES)), max_size=12))
def test_only_the_two_decide_and_what_is_over_stays_over(acts: list[tuple[str, str]]) -> None:
    one, consented = named(), False
    for act, who in acts:
        before = one
        try:
            one = DEPUTY_ACTS[act](before, who)
            again = DEPUTY_ACTS[act](one, who)
        except Problem:
            assert one is before
            assert who not in MAY[act] or not before.live or before.state == "accepted"
            continue
        assert who in MAY[act]
        assert again is one  # repeating changes nothing
        assert one.version - before.version == (one is not before)
        assert before.live or one is before
        consented = consented or (act == "accept" and who == "dan")
        assert one.state != "accepted" or consented  # nobody is made a deputy


PREPARED_ACTS: dict[str, Callable[[Prepared, str], Prepared]] = {
    "change": lambda one, who: deputies.change(one, who, NOW, language="fr", caption="Fier"),
    "withdraw": lambda one, who: deputies.withdraw(one, who, NOW),
    "dismiss": lambda one, who: deputies.dismiss(one, who, NOW),
    "keep": lambda one, who: deputies.keep(one, who, 0, NOW),
    "share": lambda one, _: replace(one, state="shared", version=one.version + 1) if one.state == "waiting" else one,
}
OF = {"change": "dan", "withdraw": "dan", "dismiss": "lea", "keep": "lea"}


@given(st.lists(st.tuples(st.sampled_from(sorted(PREPARED_ACTS)), st.sampled_from(PARTIES)), max_size=12))
def test_a_deputy_writes_the_leader_decides_and_nobody_else_has_a_say(acts: list[tuple[str, str]]) -> None:
    one = prepared()
    for act, who in acts:
        before = one
        try:
            one = PREPARED_ACTS[act](before, who)
            again = PREPARED_ACTS[act](one, who)
        except Problem:
            assert one is before
            continue
        assert again is one
        assert OF.get(act, who) == who
        assert one.version - before.version == (one is not before)
        if before.state in ("shared", "withdrawn"):
            assert one is before
        if (one.caption, one.language) != (before.caption, before.language):
            assert (act, before.state) == ("change", "waiting")
        assert (one.leader_id, one.deputy_id, one.content_id) == ("lea", "dan", "c1")


@pytest.mark.parametrize(
    ("deputy", "leader", "who", "waiting", "type_"),
    [
        (named(), LEA, "dan", 0, "deputy-not-accepted"),
        (deputies.end(named(), "lea", NOW), LEA, "dan", 0, "deputy-not-accepted"),
        (deputies.accept(named(), "dan", NOW), LEA, "lea", 0, "not-yours"),
        (deputies.accept(named(), "dan", NOW), LEA, "eve", 0, "not-found"),
        (deputies.accept(named(), "dan", NOW), person("lea"), "dan", 0, "not-a-leader"),
        (deputies.accept(named(), "dan", NOW), person("lea", leader=True, joined=False), "dan", 0, "not-a-member"),
        (deputies.accept(named(), "dan", NOW), LEA, "dan", MAX_WAITING, "too-many-prepared"),
    ],
)
def test_who_prepares_and_when(deputy: Deputy, leader: Person, who: str, waiting: int, type_: str) -> None:
    words: dict[str, Any] = {"content_id": "c1", "language": "en", "caption": "Proud"}
    with pytest.raises(Problem) as refused:
        deputies.prepare("s1", deputy, leader, who, waiting, NOW, **words)
    assert refused.value.type == type_
