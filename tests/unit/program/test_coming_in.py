"""Coming into a programme and out of it: whatever happens in whatever order, people decide for themselves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Forbidden, Invalid, Problem
from services.program.domain import admission, links, memberships
from services.program.domain.admission import Admission, Departures
from services.program.domain.links import InvitationLink
from services.program.domain.people import Person
from tests.unit.program.test_people import program

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
OF = program()
Act = Callable[[Person, datetime], Person]
OWN: dict[str, Act] = {
    "join": lambda one, now: memberships.join(one, OF, OF.consent_version, now),
    "decline": lambda one, now: memberships.decline(one, OF.id, now),
    "reconsider": lambda one, now: memberships.reconsider(one, OF.id, now),
    "leave": lambda one, now: memberships.leave(one, OF.id, now),
    "pause": lambda one, now: memberships.pause(one, OF.id, now),
    "resume": lambda one, now: memberships.resume(one, OF.id, now),
    "follow": lambda one, now: memberships.follow_link(one, OF.id, "by-link", "link", now),
    "apply": lambda one, now: memberships.apply(one, OF.id, now),
    "take_back": lambda one, now: memberships.withdraw_application(one, OF.id, now),
}
THEIRS: dict[str, Act] = {
    "invite": lambda one, now: (
        one if memberships.why_not_invite(one, OF.id) else memberships.invite(one, OF.id, "invited", now)
    ),
    "withdraw": lambda one, now: memberships.withdraw_invitation(one, OF.id, now),
    "approve": lambda one, now: memberships.approve(one, OF.id, "approved", now),
    "reject": lambda one, now: memberships.reject(one, OF.id, now),
}


def somebody(**values: Any) -> Person:
    return Person(
        id="ada", name="Ada", country="FR", team="Sales", locale="fr", created_at=NOW, updated_at=NOW, **values
    )


def status(person: Person) -> str:
    found = person.membership(OF.id)
    return found.status if found else "none"


def after(*acts: str) -> Person:
    person = somebody()
    for name in acts:
        person = (OWN | THEIRS)[name](person, NOW)
    return person


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*OWN, *THEIRS]), min_size=2, max_size=30))
def test_whatever_happens_people_decide_for_themselves(acts: list[str]) -> None:
    person = somebody()
    for number, name in enumerate(acts):
        before, now = person, NOW + timedelta(minutes=number)
        with suppress(Problem):
            person = (OWN | THEIRS)[name](before, now)
        was, became = status(before), status(person)
        assert (person.version > before.version) == (person is not before)
        assert len(person.memberships) <= 1
        if name in THEIRS:
            assert became == was or (was != "joined" and became != "joined"), "nobody is enrolled, or thrown out"
            assert became == was or was != "declined", "who declined is not asked again"
        if became == "invited":
            assert person.in_program(OF.id).invitation_id
        if became == "joined" and was != "joined":
            assert name == "join"
            assert was in ("invited", "left"), "one joins by invitation, or comes back"
        if became != "joined":
            assert became == "none" or person.in_program(OF.id).paused_since is None


@given(st.lists(st.sampled_from([*OWN, *THEIRS]), max_size=12), st.sampled_from([*OWN, *THEIRS]))
def test_an_act_that_is_repeated_changes_nothing(acts: list[str], last: str) -> None:
    person = somebody()
    for name in [*acts, last]:
        with suppress(Problem):
            person = (OWN | THEIRS)[name](person, NOW)
    once = person
    with suppress(Problem):
        person = (OWN | THEIRS)[last](once, NOW + timedelta(hours=1))
    assert status(person) == status(once)


@pytest.mark.parametrize(
    ("before", "last", "type_"),
    [
        (("invite", "join"), "apply", "already-joined"),
        (("apply", "reject"), "apply", "application-rejected"),
        (("apply", "approve"), "take_back", "application-decided"),
        (("apply",), "decline", "not-invited"),
        (("apply",), "withdraw", "not-invited"),
        (("invite",), "reject", "not-applied"),
        ((), "approve", "not-applied"),
    ],
)
def test_what_does_not_follow_is_refused(before: tuple[str, ...], last: str, type_: str) -> None:
    person = after(*before)
    with pytest.raises(Conflict) as refused:
        (OWN | THEIRS)[last](person, NOW)
    assert refused.value.type.endswith(type_)


def test_an_application_alone_is_no_invitation() -> None:
    with pytest.raises(Forbidden):
        OWN["join"](after("apply"), NOW)
    assert status(after("apply", "approve")) == "invited"
    assert status(after("apply", "approve", "join")) == "joined"
    assert status(after("apply", "reject", "invite")) == "invited"
    assert after("apply", "take_back").memberships == ()
    assert status(after("invite", "join", "leave", "apply", "take_back")) == "left"


def test_who_declined_may_follow_a_link_themselves() -> None:
    found = after("invite", "decline", "follow").in_program(OF.id)
    assert (found.status, found.link_id) == ("invited", "link")
    invited = after("invite", "decline", "follow", "join", "leave", "invite")
    assert invited.in_program(OF.id).link_id is None, "who is invited otherwise did not come by the link"


@pytest.mark.parametrize("act", ["follow", "apply"])
def test_who_left_the_company_follows_nothing(act: str) -> None:
    with pytest.raises(Forbidden):
        OWN[act](somebody(active=False), NOW)


# --- links -------------------------------------------------------------------------------------------------------


def link(**values: Any) -> InvitationLink:
    given: dict[str, Any] = {"title": "Canteen", "headlines": {}, "ends_on": None, "approval": False}
    return links.new_link("link", OF, "max", NOW, **{**given, **values})


def test_a_link_leads_until_its_last_day_is_over_where_the_programme_is() -> None:
    """Paris is an hour before UTC."""
    last_minute = datetime(2026, 3, 13, 22, 59, tzinfo=UTC)
    found = link(ends_on=date(2026, 3, 13))
    links.check_leads(found, OF, last_minute)
    with pytest.raises(Conflict) as refused:
        links.check_leads(found, OF, last_minute + timedelta(minutes=1))
    assert refused.value.type.endswith("link-closed")


def test_a_withdrawn_link_leads_nowhere_until_it_is_opened_again() -> None:
    withdrawn = links.withdraw_link(link(), NOW)
    with pytest.raises(Conflict):
        links.check_leads(withdrawn, OF, NOW)
    assert links.withdraw_link(withdrawn, NOW) is withdrawn
    again = links.reopen_link(withdrawn, OF, NOW)
    links.check_leads(again, OF, NOW)
    assert (links.reopen_link(again, OF, NOW) is again, again.version) == (True, 3)


def test_an_archived_programme_has_no_links() -> None:
    over = program(archived_at=NOW)
    for act in (
        lambda: links.check_leads(link(), over, NOW),
        lambda: links.reopen_link(link(), over, NOW),
        lambda: links.new_link("x", over, "max", NOW, title="x", headlines={}, ends_on=None, approval=False),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.type.endswith("program-archived")


@pytest.mark.parametrize(
    ("values", "field", "rule"),
    [
        ({"ends_on": date(2026, 3, 3)}, "ends_on", "past"),
        ({"headlines": {"fr": "Venez"}}, "headlines.en", "language-missing"),
        ({"headlines": {"fr": "Venez", "en": "Come", "de": "Los"}}, "headlines.de", "language-unknown"),
    ],
)
def test_a_link_that_cannot_be_is_refused(values: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        link(**values)
    assert [(one.field, one.rule) for one in refused.value.errors] == [(field, rule)]


# --- what is asked, and why people leave ---------------------------------------------------------------------------


def test_questions_are_asked_in_each_language_and_answered_at_most_once() -> None:
    both = {"fr": "Pourquoi ?", "en": "Why?"}
    asked = admission.change_admission(Admission(OF.id), OF, NOW, nominations=True, questions=[both])
    assert asked.version == 1
    assert admission.change_admission(asked, OF, NOW, nominations=True, questions=[both]) is asked
    assert admission.check_answers(asked, []) == ("",)
    with pytest.raises(Invalid):
        admission.check_answers(asked, ["one", "two"])
    with pytest.raises(Invalid):
        admission.change_admission(asked, OF, NOW, nominations=True, questions=[{"fr": "Pourquoi ?"}])


@given(st.lists(st.tuples(st.sampled_from(["pause", "leave"]), st.sampled_from(["tool", "other"])), max_size=60))
def test_no_reason_is_told_alone_and_none_is_lost(said: list[Any]) -> None:
    found = Departures("voices")
    for departure, reason in said:
        before = sum(found.told.values())
        found = admission.add_departure(found, departure, reason, 5)
        assert sum(found.told.values()) - before in (0, 5)
    assert sum(found.told.values()) + sum(found.waiting.values()) == len(said)
    assert sum(found.waiting.values()) < 5
