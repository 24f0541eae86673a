"""A dead letter as a record of Kafka: the record that could not be processed, and why, in headers of its own.

What was done with a dead letter is a further record with its id and a resolution, so that Kafka alone tells which are
open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aiokafka import ConsumerRecord

from chassis.ids import derived_id
from herald_contracts import Record
from herald_contracts.envelope import text_headers

REPLAYED_FOR = "herald_replayed_for"  # the service that a replayed record is for; the others pass it over
PREFIX = "herald_deadletter_"
MAX_DETAIL = 500
LARGEST = 1_900_000  # bytes; a compressed record of a topic can be more than any topic takes uncompressed
SMALL = 4096
Headers = list[tuple[str, bytes | None]]
Resolution = Literal["replayed", "dropped"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter: where its record came from, and why it could not be processed."""

    id: str
    service: str
    rule: str
    detail: str
    topic: str
    partition: int
    offset: int
    at: datetime
    event_type: str
    event_id: str
    written: int  # when its record came to its topic, in milliseconds since 1970
    size: int  # bytes of the record's value
    left_out: str  # what of the record was too large to be kept; it cannot be replayed then
    place: tuple[int, int]  # partition and offset on the dead-letter topic
    resolution: str | None = None

    @property
    def origin(self) -> tuple[str, int, int]:
        return (self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Content:
    """The record that a dead letter is about, as it was."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def topic_of(service: str) -> str:
    """The dead-letter topic of a service, without an installation's prefix."""
    return f"herald.deadletters.{service}"


def dead_letter_id(service: str, record: ConsumerRecord[bytes, bytes]) -> str:
    """The same for every delivery of a record."""
    return derived_id(service, record.topic, str(record.partition), str(record.offset), str(record.timestamp))


def write_dead_letter(service: str, record: ConsumerRecord[bytes, bytes], rule: str, detail: str, *, id: str) -> Record:
    """The record for the dead-letter topic: key, value and headers as they are, and the reason. `id` is its
    `dead_letter_id`."""
    key, value, headers, left_out = _fitting(record)
    added = {
        "id": id,
        "rule": rule,
        "detail": detail[:MAX_DETAIL],
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
    }
    if left_out:
        added["left_out"] = left_out
    headers.extend((f"{PREFIX}{name}", text.encode(errors="replace")) for name, text in added.items())
    return Record(topic_of(service), key, value, headers)  # type: ignore[arg-type]


def write_resolution(dead_letter: DeadLetter, resolution: Resolution, *, by: str, at: datetime) -> Record:
    """The record that closes a dead letter."""
    said = {"id": dead_letter.id, "resolution": resolution}
    said |= {"resolved_at": at.isoformat(timespec="seconds"), "resolved_by": by}
    headers = [(f"{PREFIX}{name}", value.encode()) for name, value in said.items()]
    return Record(topic_of(dead_letter.service), dead_letter.id.encode(), b"", headers)


def read_dead_letter(service: str, record: ConsumerRecord[bytes, bytes]) -> DeadLetter | None:
    """A dead letter, or its resolution, as it stands on the topic; None for a record that is neither."""
    said = {
        name.removeprefix(PREFIX): value
        for name, value in text_headers(record.headers).items()
        if name.startswith(PREFIX) or name in ("ce_type", "ce_id")
    }
    if "id" not in said:
        return None
    return DeadLetter(
        id=said["id"],
        service=service,
        rule=said.get("rule", "unknown"),
        detail=said.get("detail", ""),
        topic=said.get("topic", ""),
        partition=_number(said.get("partition", "")),
        offset=_number(said.get("offset", "")),
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        event_type=said.get("ce_type", ""),
        event_id=said.get("ce_id", ""),
        written=_number(said.get("timestamp", "")),
        size=len(record.value or b""),
        left_out=said.get("left_out", ""),
        place=(record.partition, record.offset),
        resolution=said.get("resolution"),
    )


def read_content(record: ConsumerRecord[bytes, bytes]) -> Content:
    """What a dead letter holds beside its own headers."""
    headers = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    return Content(record.key, record.value, headers)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _fitting(record: ConsumerRecord[bytes, bytes]) -> tuple[bytes | None, bytes | None, Headers, str]:
    """Key, value and headers as they are, if the dead-letter topic takes them; else what fits, and what does not."""
    key, value = record.key, record.value
    headers = [(name, None if given is None else bytes(given)) for name, given in record.headers]
    size = len(key or b"") + len(value or b"") + sum(len(name) + len(given or b"") for name, given in headers)
    if size <= LARGEST:
        return key, value, headers, ""
    small = [(name, given) for name, given in headers if len(name) + len(given or b"") <= SMALL][:100]
    return (key or b"")[:SMALL], None, small, f"value and what is large of {size} bytes"
