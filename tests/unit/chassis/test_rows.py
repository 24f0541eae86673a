"""Rows are read whatever code wrote them, and what they hold beyond that stays."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services
from chassis.mongo.rows import RowError, changes, document, read

ROOT = Path(services.__file__).parent.parent
STORES = sorted(
    path
    for folder in ("services", "chassis")
    for path in (ROOT / folder).rglob("*.py")
    if "store" in path.stem or "store" in path.parent.name or "mongo" in path.parts or path.stem == "principals"
)


class Step(NamedTuple):
    name: str
    day: date
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Address:
    city: str
    street: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    group: str
    since: datetime
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    state: Literal["here", "gone"] = "here"
    address: Address
    other: Address | None = None
    members: tuple[Member, ...] = ()
    steps: Sequence[Step] = ()
    tags: frozenset[str] = frozenset()
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    born_on: date | None = None


AT = datetime(2026, 3, 2, tzinfo=UTC)
addresses = st.builds(Address)
people = st.builds(
    Person,
    address=addresses,
    other=st.none() | addresses,
    members=st.lists(st.builds(Member, since=st.just(AT), unknown=st.just({})), max_size=3).map(tuple),
    steps=st.lists(st.builds(Step), max_size=3).map(tuple),
    amounts=st.dictionaries(st.text(), st.decimals(allow_nan=False, allow_infinity=False), max_size=3),
)
extras = st.dictionaries(
    st.text().map(lambda name: f"newer-{name}"), st.none() | st.integers() | st.lists(st.text()), max_size=3
)


@given(people)
def test_what_is_stored_is_read_back(person: Person) -> None:
    row = document(person)
    assert row["_id"] == person.id
    assert read(Person, row) == person


@given(people, extras)
def test_fields_of_a_newer_version_change_nothing_that_is_read(person: Person, newer: Mapping[str, Any]) -> None:
    row = document(person)
    spread = {
        **row,
        **newer,
        "address": {**row["address"], **newer},
        "members": [{**one, **newer} for one in row["members"]],
        "steps": [{**one, **newer} for one in row["steps"]],
    }
    found = read(Person, spread)
    assert found == person
    assert [document(one) for one in found.members] == spread["members"]
    assert not any(path.startswith("newer-") for path in changes(found))


@given(people)
def test_changes_name_what_is_known_by_its_path(person: Person) -> None:
    found = changes(person)
    assert {"address.city", "address.street", "other", "members"} <= found.keys()
    assert not {"id", "_id", "address", "unknown"} & found.keys()


def test_fields_of_an_older_row_take_their_defaults() -> None:
    person = read(Person, {"_id": "ann", "address": {"city": "Lyon"}, "steps": [{"name": "a", "day": "2026-03-02"}]})
    assert person == Person(id="ann", address=Address("Lyon"), steps=(Step("a", date(2026, 3, 2)),))


def test_a_row_without_what_every_version_wrote_is_an_error() -> None:
    with pytest.raises(RowError, match="Address : no city"):
        read(Person, {"_id": "ann", "address": {}})


def test_a_word_of_a_newer_version_is_kept() -> None:
    person = read(Person, {"_id": "ann", "state": "paused", "address": {"city": "Lyon"}})
    assert document(person)["state"] == "paused"


def test_what_is_given_goes_before_the_row() -> None:
    assert read(Address, {"city": "Lyon"}, city="Nantes") == Address("Nantes")


def found_in(source: str) -> list[str]:
    """Where a store spreads a row into a class, validates it strictly, or replaces a document."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            spread = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg is None]
            spreads = any(not value.startswith("settings.") for value in spread)
            if spreads and name.rpartition(".")[2][:1].isupper():
                found.append(f"{node.lineno}: {name}(**row)")
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in ("validate_python", "model_validate", "replace_one", "find_one_and_replace", "ReplaceOne"):
                found.append(f"{node.lineno}: {name}")
    return found


def test_the_check_of_stores_finds_what_it_looks_for() -> None:
    spoiled = (
        "x = Post(**row, **settings.more())\n"
        "y = TypeAdapter(Post).validate_python(row)\n"
        "z = c.replace_one({}, {})\n"
        "q = Post(a=1)\nr = Client(**settings.more())\n"
    )
    assert found_in(spoiled) == ["1: Post(**row)", "2: validate_python", "3: replace_one"]


@pytest.mark.parametrize("path", STORES, ids=[str(path.relative_to(ROOT)) for path in STORES])
def test_stores_read_and_write_tolerantly(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() != "chassis/mongo/rows.py":
        assert found_in(path.read_text()) == []
