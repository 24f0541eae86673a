"""Dead letters for those on call: what is there, and what became of it.

A dead-letter topic is append-only. What was done with a letter is a further record on it, with the letter's id and
`herald_deadletter_resolution`, so that Kafka alone tells which letters are open.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from aiokafka import ConsumerRecord

from chassis.dead_letters.record import REPLAYED_FOR
from chassis.kafka.producer import Producer
from chassis.kafka.topic_reader import at_offsets, read_topic
from chassis.settings import KafkaSettings
from herald_contracts import Record
from herald_contracts.envelope import text_headers

PREFIX = "herald_deadletter_"
MAX_OPEN = 50_000
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
    """The record that a letter is about, as it was."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class DeadLetterStore:
    """The dead letters of a service. Everything raises KafkaError or TimeoutError when Kafka is away."""

    def __init__(self, service: str, settings: KafkaSettings) -> None:
        self._service = service
        self._settings = settings
        self._topic = f"herald.deadletters.{service}"

    async def open(self, wanted: Callable[[DeadLetter], bool] = lambda _: True) -> list[DeadLetter]:
        """The unresolved letters that are wanted, in the order of their origin; of very many, the first 50,000."""
        found: dict[str, DeadLetter] = {}
        resolved: set[str] = set()
        async for letter in self.read():
            if letter.resolution is not None:
                resolved.add(letter.id)
                found.pop(letter.id, None)
            elif len(found) < MAX_OPEN and letter.id not in resolved and wanted(letter):
                found.setdefault(letter.id, letter)
        return sorted(found.values(), key=lambda letter: letter.origin)

    async def all(self, wanted: Callable[[DeadLetter], bool] = lambda _: True) -> list[DeadLetter]:
        """The letters that are wanted, open or not, each once, in the order of their origin."""
        found: dict[str, DeadLetter] = {}
        resolved: dict[str, str] = {}
        async for letter in self.read():
            if letter.resolution is not None:
                resolved[letter.id] = letter.resolution
            elif wanted(letter):
                found.setdefault(letter.id, letter)
        told = (replace(letter, resolution=resolved.get(letter.id)) for letter in found.values())
        return sorted(told, key=lambda letter: letter.origin)

    async def contents(self, letters: Sequence[DeadLetter]) -> AsyncIterator[tuple[DeadLetter, Content]]:
        """What each letter holds, in the order given; memory for one."""
        options = self._settings.kafka_options()
        records = at_offsets(options, self._settings.topic(self._topic), [letter.place for letter in letters])
        async for number, record in records:
            yield letters[number], _content(record)

    async def content(self, letter: DeadLetter) -> Content | None:
        """What a letter holds; None if it is there no more."""
        found = [content async for _, content in self.contents([letter])]
        return found[0] if found else None

    async def replay(
        self, letters: Sequence[DeadLetter], producer: Producer, *, per_second: float, by: str
    ) -> AsyncIterator[DeadLetter]:
        """Publish each letter's record again where it came from, with its own event id, and note who (`by`) did so.

        In the order given; yields each when Kafka has confirmed both. The record says whom it is for, so that only the
        service that failed takes it, and one that has applied the event drops it by that id: doing this twice changes
        nothing. Letters that are not whole are passed over. Raises Unacknowledged when Kafka does not confirm.
        """
        prefix = self._settings.topic("")
        async for letter, content in self.contents([letter for letter in letters if not letter.left_out]):
            headers = [(name, value) for name, value in content.headers if name != REPLAYED_FOR]
            headers.append((REPLAYED_FOR, self._service.encode()))
            name = letter.topic.removeprefix(prefix)
            await producer.send_all([Record(name, content.key, content.value, headers)])  # type: ignore[arg-type]
            await producer.send_all([self._resolution(letter, "replayed", by)])
            yield letter
            await asyncio.sleep(1 / per_second)

    async def drop(self, letters: Sequence[DeadLetter], producer: Producer, *, by: str) -> None:
        """Note that these letters need nothing more, and who (`by`) said so. Raises Unacknowledged as well."""
        await producer.send_all([self._resolution(letter, "dropped", by) for letter in letters])

    def _resolution(self, letter: DeadLetter, what: Resolution, by: str) -> Record:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        said = {"id": letter.id, "resolution": what, "resolved_at": moment, "resolved_by": by}
        headers = [(f"{PREFIX}{name}", value.encode()) for name, value in said.items()]
        return Record(self._topic, letter.id.encode(), b"", headers)

    async def read(self) -> AsyncIterator[DeadLetter]:
        """The whole dead-letter topic as it comes: letters, and resolutions of letters; memory for a fetch."""
        async for record in read_topic(self._settings.kafka_options(), self._settings.topic(self._topic)):
            said = {
                name.removeprefix(PREFIX): value
                for name, value in text_headers(record.headers).items()
                if name.startswith(PREFIX) or name in ("ce_type", "ce_id")
            }
            if "id" in said:
                yield self._letter(said, record)

    def _letter(self, said: dict[str, str], record: ConsumerRecord[bytes, bytes]) -> DeadLetter:
        return DeadLetter(
            id=said["id"],
            service=self._service,
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


def as_text(value: bytes | None) -> str:
    """Bytes as they can be shown anywhere: what is no text or would steer a terminal as `\\x1b`; `null` for none."""
    if value is None:
        return "null"
    text = value.decode(errors="backslashreplace")
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)


def as_json(value: bytes | None) -> str | None:
    """A JSON value written over several lines; None if it is no JSON."""
    try:
        return as_text(json.dumps(json.loads(value or b""), indent=2, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _content(record: ConsumerRecord[bytes, bytes]) -> Content:
    headers = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    return Content(record.key, record.value, headers)
