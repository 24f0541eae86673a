"""What a person may become in a programme, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.text import terms
from chassis.web.problems import Conflict, Forbidden, NotFound, Problem, Refused
from services.program.domain import fields, memberships, people
from services.program.domain.people import Membership, Person
from services.program.domain.programs import Program

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def person(**values: Any) -> Person:
    base: dict[str, Any] = {"id": "ada", "name": "Ada", "country": "FR", "team": "IT", "locale": "fr"}
    return Person(**{**base, "created_at": NOW, "updated_at": NOW, **values})


def program(**values: Any) -> Program:
    base = Program(
        id="prog",
        version=1,
        name="Voices",
        time_zone="Europe/Paris",
        languages=("fr", "en"),
        open=False,
        consent_version=1,
        guidelines_version=0,
        material_version=0,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(base, **values)


def status(found: Person) -> str | None:
    membership = found.membership("prog")
    return membership.status if membership else None


def test_an_invited_person_joins_with_the_consent_of_today() -> None:
    invited = memberships.invite(person(), "prog", "inv", NOW)
    assert (status(invited), invited.roles) == ("invited", ())
    joined = memberships.join(invited, program(), 1, LATER)
    assert joined.membership("prog") == Membership("prog", "joined", LATER, "inv", consent_version=1)
    assert joined.roles == ("ambassador",)
    assert joined.version == 3
    assert memberships.join(joined, program(), 1, LATER) is joined


def test_a_consent_that_changed_has_to_be_read_again() -> None:
    invited = memberships.invite(person(), "prog", "inv", NOW)
    with pytest.raises(Conflict) as raised:
        memberships.join(invited, program(consent_version=2), 1, NOW)
    assert (raised.value.type, raised.value.extras["current"]) == ("consent-outdated", 2)
    joined = memberships.join(memberships.join(invited, program(), 1, NOW), program(consent_version=2), 2, LATER)
    membership = joined.membership("prog")
    assert membership is not None
    assert (membership.consent_version, membership.since) == (2, NOW)


def test_only_an_open_programme_is_joined_without_an_invitation() -> None:
    with pytest.raises(Forbidden, check=lambda error: error.type == "not-invited"):
        memberships.join(person(), program(), 1, NOW)
    assert status(memberships.join(person(), program(open=True), 1, NOW)) == "joined"


def test_a_declined_invitation_is_for_good() -> None:
    declined = memberships.decline(memberships.invite(person(), "prog", "inv", NOW), "prog", LATER)
    assert status(declined) == "declined"
    assert memberships.decline(declined, "prog", LATER) is declined
    assert memberships.why_not_invite(declined, "prog") == "declined"
    with pytest.raises(Forbidden):
        memberships.join(declined, program(), 1, LATER)


def test_who_left_is_no_ambassador_and_may_be_invited_again() -> None:
    joined = memberships.join(person(grants=("editor",)), program(open=True), 1, NOW)
    assert joined.roles == ("ambassador", "editor")
    left = memberships.leave(joined, "prog", LATER)
    assert left.roles == ("editor",)
    assert memberships.leave(left, "prog", LATER) is left
    assert memberships.why_not_invite(left, "prog") is None
    assert status(memberships.invite(left, "prog", "again", LATER)) == "invited"
    assert status(memberships.join(left, program(), 1, LATER)) == "joined"


def test_a_pause_changes_no_right_and_ends_with_the_membership() -> None:
    joined = memberships.join(person(), program(open=True), 1, NOW)
    paused = memberships.pause(joined, "prog", LATER)
    assert (paused.joined, paused.roles, paused.in_program("prog").paused_since) == (joined.joined, joined.roles, LATER)
    assert memberships.pause(paused, "prog", LATER + timedelta(days=1)) is paused
    resumed = memberships.resume(paused, "prog", LATER)
    assert resumed.in_program("prog").paused_since is None
    assert memberships.resume(resumed, "prog", LATER) is resumed
    assert memberships.leave(paused, "prog", LATER).in_program("prog").paused_since is None
    gone, _ = people.deactivate(paused, by="admin", now=LATER)
    assert gone.in_program("prog").paused_since is None


def test_the_same_act_again_changes_nothing_where_there_are_two_programmes() -> None:
    both = memberships.join(
        memberships.join(person(), program(open=True), 1, NOW), program(id="other", open=True), 1, NOW
    )
    paused = memberships.pause(both, "prog", LATER)
    assert memberships.pause(paused, "prog", LATER) is paused
    assert memberships.join(paused, program(), 1, LATER) is paused


@pytest.mark.parametrize(
    ("act", "before", "type_"),
    [
        (memberships.decline, None, "not-invited"),
        (memberships.decline, "joined", "already-joined"),
        (memberships.decline, "left", "not-invited"),
        (memberships.leave, None, "not-a-member"),
        (memberships.pause, None, "not-a-member"),
        (memberships.pause, "left", "not-a-member"),
        (memberships.resume, "invited", "not-a-member"),
        (memberships.leave, "invited", "not-a-member"),
        (memberships.leave, "declined", "not-a-member"),
    ],
)
def test_acts_that_make_no_sense_are_conflicts(act: Any, before: Any, type_: str) -> None:
    there = (Membership("prog", before, NOW),) if before else ()
    with pytest.raises(Conflict) as raised:
        act(person(memberships=there), "prog", LATER)
    assert raised.value.type == type_


def test_why_people_are_not_invited() -> None:
    assert memberships.why_not_invite(person(), "prog") is None
    assert memberships.why_not_invite(person(active=False), "prog") == "inactive"
    assert memberships.why_not_invite(memberships.invite(person(), "prog", "i", NOW), "prog") == "already_invited"
    assert (
        memberships.why_not_invite(memberships.join(person(), program(open=True), 1, NOW), "prog") == "already_joined"
    )


def test_guidelines_are_acknowledged_again_after_a_material_change() -> None:
    joined = memberships.join(person(), program(open=True), 1, NOW)

    def needed(found: Person, at: Program) -> bool:
        membership = found.membership("prog")
        assert membership is not None
        return memberships.must_acknowledge(membership, at)

    first = program(guidelines_version=1, material_version=1)
    assert not needed(joined, program())
    assert needed(joined, first)
    knows = memberships.acknowledge(joined, first, 1, NOW)
    assert not needed(knows, first)
    assert memberships.acknowledge(knows, first, 1, LATER) is knows
    minor = program(guidelines_version=2, material_version=1)
    assert not needed(knows, minor)
    major = program(guidelines_version=3, material_version=3)
    assert needed(knows, major)
    with pytest.raises(Conflict) as raised:
        memberships.acknowledge(knows, major, 2, LATER)
    assert (raised.value.type, raised.value.extras["current"]) == ("guidelines-superseded", 3)
    rejoined = memberships.join(memberships.leave(knows, "prog", LATER), program(open=True), 1, LATER)
    assert not needed(rejoined, first)


def test_only_ambassadors_acknowledge() -> None:
    with pytest.raises(Conflict, check=lambda error: error.type == "not-a-member"):
        memberships.acknowledge(person(), program(guidelines_version=1), 1, NOW)


@pytest.mark.parametrize("version", [0, 2, -1])
def test_guidelines_that_never_were_are_not_found(version: int) -> None:
    with pytest.raises(NotFound):
        memberships.acknowledge(person(), program(guidelines_version=1, material_version=1), version, NOW)


def test_deactivation_leaves_every_programme() -> None:
    joined = memberships.join(person(), program(open=True), 1, NOW)
    invited = memberships.invite(joined, "other", "inv", NOW)
    gone, left = people.deactivate(invited, by="admin", now=LATER)
    assert (gone.active, gone.roles, left) == (False, (), ["prog"])
    assert people.deactivate(gone, by="admin", now=LATER) == (gone, [])
    with pytest.raises(Forbidden, check=lambda error: error.type == "inactive"):
        people.link(gone, "a" * 64, LATER)
    with pytest.raises(Refused, check=lambda error: error.type == "own-account"):
        people.deactivate(joined, by="ada", now=LATER)


def test_who_was_deactivated_by_mistake_is_back_as_they_were_and_who_returns_later_is_asked_anew() -> None:
    joined = memberships.join(person(), program(open=True), 1, NOW)
    joined = memberships.join(joined, program(id="other", open=True), 1, NOW)
    joined = memberships.join(joined, program(id="third", open=True), 1, NOW)
    before = memberships.leave(memberships.pause(joined, "prog", LATER), "third", LATER)
    gone, _ = people.deactivate(before, by="admin", now=LATER)
    soon = LATER + people.RESTORED_WITHIN
    back, again = people.reactivate(gone, soon)
    assert (back.memberships, again) == (before.memberships, ["other", "prog"])
    assert people.reactivate(back, soon) == (back, [])
    late, none = people.reactivate(gone, soon + timedelta(seconds=1))
    assert (late.joined, none) == (frozenset(), [])
    # What a mistake ended long ago does not come back with the next one.
    assert people.reactivate(people.deactivate(late, by="admin", now=soon)[0], soon)[1] == []


def test_roles_are_granted_but_for_ambassador() -> None:
    assert people.granted(person(), ["manager", "editor", "editor"], by="root") == ("editor", "manager")
    with pytest.raises(Refused, check=lambda error: error.type == "ambassador-by-joining"):
        people.granted(person(), ["ambassador"], by="root")
    joined = memberships.join(person(), program(open=True), 1, NOW)
    assert people.granted(joined, ["ambassador"], by="root") == ()
    editing = people.change(joined, LATER, grants=people.granted(joined, ["editor"], by="root"))
    assert editing.roles == ("ambassador", "editor")


def test_an_administrator_does_not_lock_themselves_out() -> None:
    admin = person(grants=("admin",))
    with pytest.raises(Refused, check=lambda error: error.type == "own-admin-role"):
        people.granted(admin, ["editor"], by="ada")
    assert people.granted(admin, ["editor"], by="another") == ("editor",)


def test_claims_say_who_signed_in_as_far_as_they_make_sense() -> None:
    said = {"name": " Ada L. ", "country": "de", "team": "IT", "locale": "de_AT"}
    found = people.from_claims(said, id="1", account="a" * 64, locale="en", now=NOW)
    assert (found.name, found.country, found.team, found.locale) == ("Ada L.", "DE", "IT", "de-AT")
    nothing = {"name": "\n", "country": "Mordor", "team": ["IT"], "locale": "??", "email": "ada@x.example"}
    found = people.from_claims(nothing, id="1", account="a" * 64, locale="en", now=NOW, grants=("admin",))
    assert (found.name, found.country, found.team, found.locale) == ("—", "ZZ", "unassigned", "en")
    assert (found.email, found.roles) == (None, ("admin",))


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "Ada@X.example", "email_verified": True}, "ada@x.example"),
        ({"email": "ada@x.example", "email_verified": False}, None),
        ({"email": "ada@x.example", "email_verified": "true"}, None),
        ({"email": "ada@x.example"}, None),
        ({"email": "nonsense", "email_verified": True}, None),
        ({"email_verified": True}, None),
    ],
)
def test_only_a_verified_address_counts(claims: dict[str, Any], email: str | None) -> None:
    assert people.verified_email(claims) == email


ACTS = st.sampled_from(["invite", "join", "decline", "leave", "pause", "resume", "acknowledge", "deactivate"])


def cut_off_by_mistake(found: Person) -> Person:
    """The person, deactivated and back at once."""
    gone, left = people.deactivate(found, by="admin", now=LATER)
    assert (gone.joined, gone.roles) == (frozenset(), found.grants)
    back, again = people.reactivate(gone, LATER)
    assert (back.joined, again) == (found.joined, left)
    return back


@given(st.lists(ACTS, max_size=12), st.booleans())
def test_whatever_people_do_in_whatever_order(acts: list[str], open_: bool) -> None:
    """A refusal changes nothing, a version rises by one or not at all, nobody is enrolled but by joining, who declined
    is never asked again, and who is deactivated by mistake is back as they were."""
    at = program(open=open_, guidelines_version=1, material_version=1)
    found, declined = person(), False
    for act in acts:
        before = found
        try:
            if act == "invite":
                if memberships.why_not_invite(found, "prog") is None:
                    assert not declined or status(found) == "left"
                    found = memberships.invite(found, "prog", "inv", NOW)
            elif act == "join":
                found = memberships.join(found, at, 1, NOW)
                declined = False
            elif act == "decline":
                found = memberships.decline(found, "prog", NOW)
                declined = True
            elif act in ("leave", "pause", "resume"):
                found = getattr(memberships, act)(found, "prog", NOW)
            elif act == "acknowledge":
                found = memberships.acknowledge(found, at, 1, NOW)
            else:
                found, _ = people.deactivate(found, by="admin", now=NOW)
        except Problem:
            assert found is before
        assert found.version - before.version == (found is not before)
        assert (status(found) == "joined") == ("ambassador" in found.roles)
        if status(found) == "joined" and status(before) != "joined":
            assert act == "join"
        assert not found.active or cut_off_by_mistake(found).memberships == found.memberships
        assert status(found) == "joined" or not any(one.paused_since for one in found.memberships)
        assert len({one.program_id for one in found.memberships}) == len(found.memberships)


@given(st.text(max_size=60))
@example("\U0001d434")
def test_terms_are_words_without_case_or_accents(text: str) -> None:
    found = terms(text)
    assert len(found) == len(set(found))
    assert terms(" ".join(found)) == found


def test_people_are_found_by_the_words_of_their_name_and_address() -> None:
    assert person(name="Zoë O’Brien-Müller", email="zoe.ob@x.example").terms == (
        "zoe",
        "o",
        "brien",
        "muller",
        "ob",
        "x",
        "example",
    )


@pytest.mark.parametrize(
    ("read", "value", "rule"),
    [
        (fields.email, "a@b", "email"),
        (fields.email, "a b@x.example", "email"),
        (fields.email, "a@x.example, b@x.example", "email"),
        (fields.email, "é@x.example", "email"),
        (fields.email, "a" * 250 + "@x.example", "too-long"),
        (fields.locale, "elvish", "locale"),
        (fields.locale, "zzz", "locale"),
        (fields.locale, "", "required"),
        (fields.country, "ZZ", "country"),
        (fields.text, "—", "required"),
        (fields.text, "\u200b\u3164", "required"),
        (fields.text, "   ", "required"),
        (fields.boolean, "2", "boolean"),
    ],
)
def test_values_that_are_refused(read: Any, value: str, rule: str) -> None:
    with pytest.raises(fields.FieldError) as raised:
        read(value)
    assert raised.value.rule == rule
    assert not value.strip() or value not in raised.value.detail


@given(st.from_regex(r"(fr|EN|De|yue)([-_][a-zA-Z]{4})?([-_]([a-zA-Z]{2}|[0-9]{3}))?", fullmatch=True))
def test_a_language_tag_has_one_canonical_form(tag: str) -> None:
    if not tag.isascii():
        return
    found = fields.locale(tag)
    assert fields.locale(found) == found
    assert found.replace("-", "").lower() == tag.replace("-", "").replace("_", "").lower()


def signed_in(id: str, **values: Any) -> Person:
    return person(**{"id": id, "accounts": (f"account-{id}",), **values})


def test_an_address_is_taken_until_somebody_signed_in_with_it() -> None:
    assert people.takes_address(None)
    assert people.takes_address(person(email="ada@x.example"))
    assert not people.takes_address(signed_in("ada", email="ada@x.example"))


def test_a_merge_moves_sign_ins_and_nothing_that_gives_a_right() -> None:
    kept = signed_in("ada", email="ada@x.example", grants=("editor",))
    other = signed_in("new", grants=("admin",), same_address_as="ada", external_id="E-2")
    other = memberships.join(memberships.invite(other, "prog", "inv", NOW), program(), 1, NOW)
    merged, gone, left = people.merge(kept, other, by="root", now=LATER)
    assert (merged.accounts, merged.roles) == (("account-ada", "account-new"), ("editor",))
    assert (merged.email, merged.external_id, merged.version) == ("ada@x.example", "E-2", kept.version + 1)
    assert (gone.accounts, gone.roles, gone.active, gone.external_id) == ((), (), False, None)
    assert (gone.merged_into, gone.version, left) == ("ada", other.version + 1, ["prog"])
    assert people.merge(merged, gone, by="root", now=LATER) == (merged, gone, [])


def test_a_merge_into_the_newer_one_takes_the_address_along() -> None:
    old, new = signed_in("ada", email="ada@x.example"), signed_in("new", same_address_as="ada")
    merged, gone, _ = people.merge(new, old, by="root", now=LATER)
    assert (merged.email, merged.same_address_as, gone.email) == ("ada@x.example", None, None)


@pytest.mark.parametrize(
    ("kept", "other", "by", "type_"),
    [
        (signed_in("ada"), signed_in("ada"), "root", "same-person"),
        (signed_in("ada", active=False), signed_in("new"), "root", "inactive"),
        (signed_in("ada", merged_into="x"), signed_in("new"), "root", "merged"),
        (signed_in("ada"), signed_in("new", merged_into="x"), "root", "merged"),
        (signed_in("ada"), signed_in("root"), "root", "own-account"),
    ],
)
def test_what_cannot_be_merged(kept: Person, other: Person, by: str, type_: str) -> None:
    with pytest.raises(Problem, check=lambda error: error.type == type_):
        people.merge(kept, other, by=by, now=LATER)


def test_who_was_merged_does_not_come_back() -> None:
    with pytest.raises(Conflict, check=lambda error: error.type == "merged"):
        people.reactivate(signed_in("new", active=False, merged_into="ada"), LATER)
    assert people.reactivate(signed_in("ada", active=False), LATER)[0].active


@pytest.mark.parametrize(
    ("claims", "verified"),
    [
        ({"email_verified": True}, True),
        ({"xms_edov": True}, True),
        ({"xms_edov": "1"}, True),
        ({}, False),
        ({"email_verified": "true"}, False),
        ({"email_verified": 1}, False),
        ({"email_verified": False, "xms_edov": False}, False),
        ({"xms_edov": "0"}, False),
    ],
)
def test_only_an_address_that_the_issuer_vouches_for_is_one(claims: dict[str, Any], verified: bool) -> None:
    found = people.verified_email({"email": "Ada@X.example", **claims})
    assert found == ("ada@x.example" if verified else None)
