"""One-time codes and the devices that they let in."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.principals import Principal
from chassis.web.problems import Conflict, Forbidden, Problem, Refused
from services.program.domain import access, people
from services.program.domain.access import ALPHABET, LENGTH, MAX_DEVICES
from services.program.domain.people import Device, Person

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
LIFE = timedelta(hours=1)
DAYS = timedelta(days=90)


def somebody(**values: Any) -> Person:
    return Person(
        id="ada", name="Ada", country="FR", team="Plant", locale="fr", created_at=NOW, updated_at=NOW, **values
    )


def device(name: str, now: datetime = NOW) -> Device:
    return Device(name, now, now + DAYS)


def test_a_code_is_read_however_it_is_typed() -> None:
    code = access.new_code()
    assert len(code.replace("-", "")) == LENGTH
    hash = access.hash_code(code)
    assert hash is not None
    assert code.replace("-", "") not in hash
    assert access.hash_code(code.lower().replace("-", " ")) == hash
    assert access.hash_code(code.replace("0", "o").replace("1", "l")) == hash
    assert access.hash_code(access.new_code()) != hash


@given(st.text(max_size=40))
@settings(max_examples=30)
def test_what_is_no_code_has_no_hash(typed: str) -> None:
    if access.hash_code(typed) is not None:
        assert sum(sign in ALPHABET + "OIL" for sign in typed.upper()) == LENGTH


def test_a_code_lets_one_device_in_once() -> None:
    given_one = access.issue_code(somebody(), "hash", by="max", now=NOW, life=LIFE)
    inside = access.redeem(given_one, "hash", device("phone"), NOW)
    assert (inside.code, [one.account for one in inside.devices]) == (None, ["phone"])
    assert access.redeem(inside, "hash", device("phone"), NOW) is inside, "the answer may have been lost"
    with pytest.raises(Refused):
        access.redeem(inside, "hash", device("another"), NOW)


@pytest.mark.parametrize(("hash", "later"), [("guessed", timedelta()), ("hash", LIFE)])
def test_a_guessed_code_and_one_that_ended_are_refused_alike(hash: str, later: timedelta) -> None:
    given_one = access.issue_code(somebody(), "hash", by="max", now=NOW, life=LIFE)
    with pytest.raises(Refused) as refused:
        access.redeem(given_one, hash, device("phone"), NOW + later)
    assert refused.value.type.endswith("code-unknown")


@pytest.mark.parametrize("values", [{"email": "ada@x.example"}, {"accounts": ("a",)}])
def test_nobody_gets_a_code_to_sign_in_as_who_has_another_way(values: dict[str, Any]) -> None:
    with pytest.raises(Conflict):
        access.issue_code(somebody(**values), "hash", by="max", now=NOW, life=LIFE)


def test_who_left_the_company_has_no_code_and_no_device() -> None:
    with pytest.raises(Forbidden):
        access.issue_code(somebody(active=False), "hash", by="max", now=NOW, life=LIFE)
    inside = access.redeem(
        access.issue_code(somebody(), "hash", by="max", now=NOW, life=LIFE), "hash", device("phone"), NOW
    )
    waiting = access.issue_code(inside, "next", by="max", now=NOW, life=LIFE)
    gone, _ = people.deactivate(waiting, by="root", now=NOW)
    assert (gone.code, gone.devices) == (None, ())
    back, _ = people.reactivate(gone, NOW)
    assert back.devices == ()


def test_the_identity_providers_sign_in_ends_all_that_a_code_let_in() -> None:
    inside = somebody(devices=(device("phone"),))
    linked = people.link(inside, "account", NOW)
    assert (linked.devices, linked.accounts) == ((), ("account",))
    other = somebody()
    merged, gone, _ = people.merge(
        people.change(inside, NOW), people.change(other, NOW, id="bea", accounts=("b",)), by="root", now=NOW
    )
    assert (merged.devices, merged.accounts, gone.devices) == ((), ("b",), ())


ACTS = ("issue", "redeem", "guess", "end", "end_all", "forget", "later")


@given(st.lists(st.sampled_from(ACTS), max_size=40))
def test_no_more_devices_than_codes_and_none_beyond_its_time(acts: list[str]) -> None:
    person, now, issued, let_in = somebody(), NOW, 0, 0
    for number, act in enumerate(acts):
        before = person
        with suppress(Problem):
            if act == "issue":
                person = access.issue_code(person, f"hash-{number}", by="max", now=now, life=LIFE)
                issued += 1
            elif act == "redeem" and person.code:
                person = access.redeem(person, person.code.hash, device(f"device-{number}", now), now)
                let_in += 1
                assert before.code
                assert before.code.ends_at > now
                assert person.code is None
            elif act == "guess":
                person = access.redeem(person, "never", device(f"device-{number}", now), now)
                raise AssertionError("a guess was let in")
            elif act == "end" and person.devices:
                person = access.end_device(person, person.devices[0].account, now)
            elif act == "end_all":
                person = access.end_devices(person, now)
                assert (person.code, person.devices) == (None, ())
            elif act == "forget":
                person = access.forget_ended(person, now)
                assert all(one.ends_at > now for one in person.devices)
            elif act == "later":
                now += timedelta(minutes=50)
        assert (person.version > before.version) == (person is not before)
    assert let_in <= issued
    assert len(person.devices) <= min(let_in, MAX_DEVICES)


def test_a_device_gives_no_right_but_an_ambassadors() -> None:
    everything = Principal(
        "ada",
        roles=frozenset(("ambassador", "editor", "manager", "admin")),
        program_roles=frozenset({("p", "manager")}),
    )
    on_device = everything.on_device().within("p").with_all_roles()
    assert on_device.roles == {"ambassador"}
    assert on_device.memberships == everything.memberships
