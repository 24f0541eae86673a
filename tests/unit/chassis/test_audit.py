"""What the audit trail tells of a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import audit
from chassis.audit import Audited
from chassis.mongo import Actor, Transaction
from herald_contracts import AdministrativeActRecorded, FieldChange, encode
from herald_contracts.audit import MAX_VALUE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Inner:
    until: datetime | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thing:
    state: str
    name: str = "Ada"
    version: int = 1
    inner: Inner = Inner()
    texts: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


THING = Audited("thing", Thing, shown=("state", "inner", "texts", "tags"), withheld=("name",), left_out=("version",))
DRAFT = Thing("draft", texts={"en": "Hello"})


INES = Actor("ines", "0" * 64)


def transaction(actor: Actor | None = INES) -> Transaction:
    tx = Transaction(cast("Any", None), NOW, service="content")
    tx.actor = actor
    return tx


def changes(before: Any, after: Any) -> dict[str, tuple[str | None, str | None]]:
    return {one.field: (one.before, one.after) for one in THING.changes(before, after)}


def test_each_field_of_the_class_is_decided_on() -> None:
    with pytest.raises(TypeError, match="name"):
        Audited("thing", Thing, shown=("state", "inner", "texts", "tags"), left_out=("version",))
    with pytest.raises(TypeError, match="version"):
        Audited("thing", Thing, shown=("state", "inner", "texts", "tags", "version"), withheld=("name", "version"))
    with pytest.raises(TypeError, match="colour"):
        Audited("thing", Thing, shown=("colour", "state", "inner", "texts", "tags"), withheld=("name", "version"))


def test_what_differs_is_told_by_its_path() -> None:
    after = replace(DRAFT, state="published", inner=Inner(until=NOW), texts={"fr": "Bonjour"}, version=2)
    assert changes(DRAFT, after) == {
        "state": ("draft", "published"),
        "inner.until": (None, "2026-03-01T12:00:00+00:00"),
        "texts.en": ("Hello", None),
        "texts.fr": (None, "Bonjour"),
    }


def test_what_is_personal_is_named_and_left_out() -> None:
    told = THING.changes(DRAFT, replace(DRAFT, name="Grace"))
    assert told == [FieldChange(field="name", withheld=True)]


def test_what_is_made_or_deleted_has_one_side() -> None:
    assert changes(None, DRAFT)["state"] == (None, "draft")
    assert changes(DRAFT, None)["texts.en"] == ("Hello", None)


def test_of_a_long_list_the_entries_that_differ_are_told() -> None:
    before = replace(DRAFT, tags=tuple(f"tag-{number:04}" for number in range(500)))
    assert changes(before, replace(before, tags=(*before.tags[1:], "new"))) == {"tags": ('["tag-0000"]', '["new"]')}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=5)))
def test_any_value_fits_into_an_event(value: Any) -> None:
    tx = transaction()
    audit.record(tx, "x", THING, "thing-1", before=DRAFT, after=replace(DRAFT, tags=value), facts={"value": value})
    assert len(tx.rows) == 1


def test_a_value_that_is_too_long_is_cut() -> None:
    [told] = THING.changes(DRAFT, replace(DRAFT, state="x" * (MAX_VALUE + 1)))
    assert told.after is not None
    assert (len(told.after), told.after[-1]) == (MAX_VALUE, "…")


def test_a_mapping_of_any_kind_is_told_by_its_keys() -> None:
    assert changes(DRAFT, replace(DRAFT, texts=MappingProxyType({"en": "Hi"}))) == {"texts.en": ("Hello", "Hi")}


def test_the_act_goes_out_under_its_actor_on_the_topic_of_its_service() -> None:
    tx = transaction()
    audit.record(tx, "publish_item", THING, "thing-1", before=DRAFT, after=replace(DRAFT, state="x"), program_id="p")
    [row] = tx.rows
    assert (row["topic"], row["key"], tx.audited) == ("herald.audit.content", b"ines", True)
    assert row["headers"]["ce_source"] == b"/herald/content"
    told = AdministrativeActRecorded.from_json(row["value"])
    assert (told.act, told.actor_id, told.session, told.program_id) == ("publish_item", "ines", "0" * 64, "p")


def test_what_the_system_does_by_itself_is_no_administrative_act() -> None:
    tx = transaction(None)
    audit.record(tx, "publish_item", THING, "thing-1", after=DRAFT)
    assert (tx.rows, tx.audited) == ([], True)


def test_an_act_that_changed_nothing_leaves_no_trace_and_is_no_fault() -> None:
    tx = transaction()
    audit.record(tx, "publish_item", THING, "thing-1", before=DRAFT, after=DRAFT)
    assert (tx.rows, tx.audited) == ([], True)


def test_two_services_emit_on_topics_of_their_own() -> None:
    one = AdministrativeActRecorded(
        service="metrics", act="set_rates", actor_id="a", object_type="rates", object_id="p", occurred_at=NOW
    )
    other = one.model_copy(update={"service": "program"})
    assert [encode(event, id="1", time=NOW).topic for event in (one, other)] == [
        "herald.audit.metrics",
        "herald.audit.program",
    ]
    assert len(AdministrativeActRecorded.topics()) == 5
