"""Invitations: given, withdrawn, declined and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chassis.web.problems import Conflict
from services.program.domain import memberships, people
from services.program.domain.people import Person

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PROGRAM = "voices"


def somebody() -> Person:
    return Person(id="ada", name="Ada", country="FR", team="Sales", locale="fr", created_at=NOW, updated_at=NOW)


def test_a_withdrawn_invitation_leaves_the_person_as_before() -> None:
    invited = memberships.invite(somebody(), PROGRAM, "one", NOW, "batch")
    withdrawn = memberships.withdraw_invitation(invited, PROGRAM, LATER)
    assert withdrawn.memberships == ()
    assert memberships.why_not_invite(withdrawn, PROGRAM) is None
    assert memberships.withdraw_invitation(withdrawn, PROGRAM, LATER) is withdrawn


def test_who_had_left_before_has_left_again() -> None:
    left = people.Membership(PROGRAM, "left", NOW, acknowledged=2)
    before = people.change(somebody(), NOW, memberships=(left,))
    withdrawn = memberships.withdraw_invitation(
        memberships.invite(before, PROGRAM, "one", NOW, "batch"), PROGRAM, LATER
    )
    assert (withdrawn.in_program(PROGRAM).status, withdrawn.in_program(PROGRAM).acknowledged) == ("left", 2)


@pytest.mark.parametrize("status", ["joined", "declined"])
def test_what_was_answered_is_not_withdrawn(status: people.Status) -> None:
    answered = people.change(somebody(), NOW, memberships=(people.Membership(PROGRAM, status, NOW),))
    with pytest.raises(Conflict):
        memberships.withdraw_invitation(answered, PROGRAM, LATER)


def test_who_declined_may_think_again_and_nobody_else() -> None:
    invited = memberships.invite(somebody(), PROGRAM, "one", NOW, "batch")
    again = memberships.reconsider(memberships.decline(invited, PROGRAM, NOW), PROGRAM, LATER)
    assert again.in_program(PROGRAM).status == "invited"
    assert again.in_program(PROGRAM).invitation_id == "one"
    assert memberships.reconsider(again, PROGRAM, LATER) is again
    with pytest.raises(Conflict):
        memberships.reconsider(somebody(), PROGRAM, LATER)
