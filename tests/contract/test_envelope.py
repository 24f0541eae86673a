"""The envelope: what is encoded decodes to the same, and nothing that Kafka can hold raises anything unforeseen."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from herald.contracts.examples import example, load_examples
from herald.contracts.schemas import event_schema
from herald_contracts import Event, PostShared, Record, Undecodable, decode, encode
from tests.contract.strategies import JSON, TIMES, data_of, event_classes, events_of

POST = example("PostShared", "suggested-caption")
NAMES = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "traceparent", "content-type"]
TYPES = st.sampled_from([*sorted(Event.registry), "herald.PostShared.v2", "herald.PostShared", "herald", ".", "a.b.c"])


def rule(headers: list[tuple[str, bytes | None]], value: bytes | None) -> str:
    with pytest.raises(Undecodable) as refused:
        decode(headers, value)
    assert len(str(refused.value)) < 1000
    return refused.value.rule


def headers(**changed: bytes | None) -> list[tuple[str, bytes | None]]:
    """The example's headers with some replaced."""
    return [(name, changed.get(name, value)) for name, value in POST.wire_headers]


@given(
    event=event_classes.flatmap(events_of),
    time=TIMES,
    identity=st.uuids(version=4).map(str),
    trace=st.none() | st.just("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
)
def test_what_is_encoded_decodes_to_the_same(event: Event, time: datetime, identity: str, trace: str | None) -> None:
    record = encode(event, id=identity, time=time, traceparent=trace)
    found = decode(list(record.headers), record.value)
    assert found.data == event
    assert (found.id, found.type, found.source) == (identity, event.type, event.own_source)
    assert (found.subject, found.partitionkey) == (event.aggregate_id, record.key.decode())
    assert found.traceparent == trace
    assert abs(found.time - time).total_seconds() < 0.001
    assert found.time.tzinfo == UTC
    assert encode(found.data, id=found.id, time=found.time, traceparent=found.traceparent) == record


@given(
    listed=st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), st.none() | st.binary())),
    value=st.none() | st.binary(),
)
def test_any_bytes_at_all_are_undecodable(listed: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    assert rule(listed, value) == "header-missing"


@given(
    kind=TYPES,
    time=st.text() | TIMES.map(lambda time: time.isoformat()) | st.just("0001-01-01T00:00:00+14:00"),
    value=st.binary() | JSON.map(lambda data: json.dumps(data).encode()),
)
def test_a_plausible_envelope_around_no_event(kind: str, time: str, value: bytes) -> None:
    assert rule(headers(ce_type=kind.encode(), ce_time=time.encode(errors="replace")), value)


@given(st.data())
def test_one_wrong_field_is_undecodable_and_named(draw: st.DataObject) -> None:
    cls = draw.draw(event_classes)
    data = draw.draw(data_of(cls))
    field = draw.draw(st.sampled_from(sorted(name for name, info in cls.model_fields.items() if info.is_required())))
    del data[field]
    found = {**dict(POST.wire_headers), "ce_type": cls.type.encode()}
    with pytest.raises(Undecodable, match=rf"^schema-mismatch: {field}: ") as refused:
        decode(list(found.items()), json.dumps(data).encode())
    assert refused.value.rule == "schema-mismatch"


@given(st.data())
def test_what_the_schema_refuses_is_refused(draw: st.DataObject) -> None:
    """The reverse, that all a schema allows is read, is what the strategies stand on."""
    cls = draw.draw(event_classes)
    data = draw.draw(data_of(cls))
    data[draw.draw(st.sampled_from(sorted(cls.model_fields)))] = draw.draw(JSON)
    found = {**dict(POST.wire_headers), "ce_type": cls.type.encode()}
    try:
        decode(list(found.items()), json.dumps(data).encode())
    except Undecodable:
        return
    Draft202012Validator(event_schema(cls)).validate(data)


@pytest.mark.parametrize(
    ("listed", "value", "expected"),
    [
        (headers(), b'{"post_id": ', "json-invalid"),
        (headers(), b"", "json-invalid"),
        (headers(), None, "json-invalid"),
        (headers(), b"\xff\xfe", "json-invalid"),
        (headers(), b"[" * 100_000, "json-invalid"),
        (headers(), b'{"post_id": "\\ud800"}', "json-invalid"),
        (headers(), b"[]", "schema-mismatch"),
        (headers(), b"null", "schema-mismatch"),
        (headers(), b"{}", "schema-mismatch"),
        (headers(), json.dumps({**POST.data, "edited": "false"}).encode(), "schema-mismatch"),
        (headers(), json.dumps({**POST.data, "occurred_at": "2026-03-02T08:41:07"}).encode(), "schema-mismatch"),
        (headers(), json.dumps({**POST.data, "occurred_at": 1772440867}).encode(), "schema-mismatch"),
        (headers(), json.dumps({**POST.data, "network": "Carrier Pigeon"}).encode(), "schema-mismatch"),
        (headers(), json.dumps({**POST.data, "post_id": "x" * 1_000_000}).encode(), "schema-mismatch"),
        (headers(ce_id=None), POST.value, "header-missing"),
        (headers(ce_id=b""), POST.value, "header-missing"),
        (headers(ce_id=b"\xff"), POST.value, "header-missing"),
        (headers(ce_type=b"\xc3\x28"), POST.value, "header-missing"),
        (headers(ce_specversion=None), POST.value, "header-missing"),
        (headers(ce_specversion=b"0.3"), POST.value, "header-invalid"),
        (headers(ce_id=b"x" * 1_000_000), POST.value, "header-invalid"),
        (headers(ce_time=b"yesterday"), POST.value, "header-invalid"),
        (headers(ce_time=b"2026-03-02T08:41:07"), POST.value, "header-invalid"),
        (headers(ce_time=b"0001-01-01T00:00:00+14:00"), POST.value, "header-invalid"),
        (headers(ce_time=b"x" * 1_000_000), POST.value, "header-invalid"),
        (headers(ce_type=b"herald.PostShared.v2"), POST.value, "version-unknown"),
        (headers(ce_type=b"herald.PostForgotten.v1"), POST.value, "type-unknown"),
        (headers(ce_type=b"PostShared"), POST.value, "type-unknown"),
        (headers(ce_type=b"y" * 1_000_000), POST.value, "type-unknown"),
        ([], POST.value, "header-missing"),
    ],
)
def test_poison_has_a_rule(listed: list[tuple[str, bytes | None]], value: bytes | None, expected: str) -> None:
    assert rule(listed, value) == expected


def test_null_and_unreadable_headers_that_nobody_needs_do_no_harm() -> None:
    listed = [*headers(traceparent=None), ("x-null", None), ("x-binary", b"\xff\x00"), ("", b"")]
    assert decode(listed, POST.value).data == PostShared.model_validate(POST.data)


def test_a_newer_producer_is_understood() -> None:
    newer = {**POST.data, "mood": "proud", "audience": {"size": 3}}
    assert decode(headers(), json.dumps(newer).encode()).data == PostShared.model_validate(POST.data)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    objective = example("ObjectiveReached")
    value = json.dumps({**objective.data, "value": 0}).replace('"value": 0', f'"value": {number}')
    assert rule(list(objective.wire_headers), value.encode()) in ("schema-mismatch", "json-invalid")


def test_a_time_without_offset_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="offset"):
        encode(PostShared.model_validate(POST.data), id="1", time=datetime(2026, 3, 2))  # noqa: DTZ001


def test_the_errors_repeat_no_personal_data() -> None:
    secret = "anna.martin@example.com"
    wrong = {**POST.data, "link_code": secret, "occurred_at": secret}
    with pytest.raises(Undecodable) as refused:
        decode(headers(), json.dumps(wrong).encode())
    assert secret not in str(refused.value)


@pytest.mark.parametrize("shown", load_examples(), ids=lambda shown: f"{shown.type}-{shown.name}")
def test_examples_are_what_is_sent(shown: Any) -> None:
    event = decode(shown.wire_headers, shown.value)
    record = encode(event.data, id=event.id, time=event.time, traceparent=event.traceparent)
    assert record == record._replace(headers=shown.wire_headers, key=shown.key.encode())
    assert isinstance(record, Record)
