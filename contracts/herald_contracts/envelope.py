"""CloudEvents 1.0 in Kafka's binary content mode: attributes in `ce_*` headers, JSON in the value.

    event = decode(record.headers, record.value)
    match event.data:
        case PostShared(): ...

`decode` raises `Undecodable` and nothing else, whatever the record holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from herald_contracts.base import Event, in_utc

SPEC_VERSION = "1.0"
CONTENT_TYPE = b"application/json"
MAX_ID = 256
REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time")
BOUNDED = ("ce_id", "ce_source", "ce_subject", "ce_partitionkey")
E_co = TypeVar("E_co", bound=Event, covariant=True)
Headers = Iterable[tuple[str, bytes | None]]


class Undecodable(ValueError):
    """A record that is no valid event of a known type; ``rule`` is a stable word for which rule it breaks:

    ``header-missing``, ``header-invalid``, ``type-unknown``, ``version-unknown``, ``json-invalid``,
    ``schema-mismatch``.
    """

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CloudEvent(Generic[E_co]):
    """An event with its envelope."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: E_co
    partitionkey: str
    traceparent: str | None = None
    tracestate: str | None = None


class Record(NamedTuple):
    """A record for Kafka: topic without prefix, key, value and headers."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def schema_id(event_type: str) -> str:
    """The `ce_dataschema` of a type and `$id` of its JSON Schema: an absolute URI, as CloudEvents asks.

    `urn:herald:PostShared:v1` is `contracts/schemas/PostShared/v1.json`.
    """
    return "urn:" + event_type.replace(".", ":")


def encode(
    data: Event,
    *,
    id: str,
    time: datetime,
    traceparent: str | None = None,
    tracestate: str | None = None,
) -> Record:
    """The Kafka record of an event. Raises ValueError if `time` has no offset; it is written in UTC."""
    key = data.partition_key
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", id.encode()),
        ("ce_type", data.type.encode()),
        ("ce_source", data.own_source.encode()),
        ("ce_subject", data.aggregate_id.encode()),
        ("ce_time", in_utc(time).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("ce_dataschema", schema_id(data.type).encode()),
        ("ce_partitionkey", key.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    if tracestate:
        headers.append(("tracestate", tracestate.encode()))
    return Record(data.own_topic, key.encode(), data.model_dump_json(exclude_none=True).encode(), headers)


def text_headers(headers: Headers) -> dict[str, str]:
    """Headers as text, without those that are null or no UTF-8: only a missing required one is an error."""
    found: dict[str, str] = {}
    for name, value in headers:
        if value is None:
            continue
        try:
            found[name] = value.decode()
        except UnicodeDecodeError:
            continue
    return found


def event_class(event_type: str) -> type[Event]:
    """The class of a CloudEvents type. Raises Undecodable: `type-unknown`, or `version-unknown` where only
    other versions of it are known."""
    found = Event.registry.get(event_type)
    if found is not None:
        return found
    name = event_type.rpartition(".")[0]
    if any(known.rpartition(".")[0] == name for known in Event.registry):
        raise Undecodable("version-unknown", event_type[:MAX_ID])
    raise Undecodable("type-unknown", event_type[:MAX_ID])


def decode(headers: Headers | Mapping[str, str], value: bytes | None) -> CloudEvent[Event]:
    """A Kafka record as a typed event. Raises Undecodable, naming the rule; never anything else."""
    found = headers if type(headers) is dict or isinstance(headers, Mapping) else text_headers(headers)
    time = _envelope(found)
    event_type = found["ce_type"]
    data = _data(event_class(event_type), value)
    subject, partitionkey = found.get("ce_subject"), found.get("ce_partitionkey")
    return CloudEvent(
        found["ce_id"],
        event_type,
        found["ce_source"],
        data.aggregate_id if subject is None else subject,
        time,
        data,
        data.partition_key if partitionkey is None else partitionkey,
        found.get("traceparent"),
        found.get("tracestate"),
    )


def _envelope(found: Mapping[str, str]) -> datetime:
    """Checks the required headers, and returns the time in UTC."""
    for name in REQUIRED:
        if not found.get(name):
            raise Undecodable("header-missing", name)
    if found["ce_specversion"] != SPEC_VERSION:
        raise Undecodable("header-invalid", f"ce_specversion: not {SPEC_VERSION}")
    for name in BOUNDED:
        if len(found.get(name, "")) > MAX_ID:
            raise Undecodable("header-invalid", f"{name}: longer than {MAX_ID} characters")
    try:
        return in_utc(datetime.fromisoformat(found["ce_time"]))
    except ValueError:
        raise Undecodable("header-invalid", "ce_time: no RFC 3339 time with an offset") from None


def _data(cls: type[Event], value: bytes | None) -> Event:
    try:
        return cls.from_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise Undecodable("json-invalid", first["msg"]) from None
        field = ".".join(str(step) for step in first["loc"])
        raise Undecodable("schema-mismatch", f"{field}: {first['msg']}") from None
