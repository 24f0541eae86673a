"""Dead letters for those on call: what is there, and what became of it.

A dead-letter topic is append-only. What was done with a letter is a further record on it, with the letter's id and
`herald_deadletter_resolution`, so that Kafka alone tells which letters are open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from aiokafka import ConsumerRecord

from chassis.kafka import Producer
from chassis.reading import read_topic
from chassis.settings import KafkaSettings
from herald_contracts import Record
from herald_contracts.envelope import text_headers

PREFIX = "herald_deadletter_"
Resolution = Literal["replayed", "dropped"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: the record as it was, and why it could not be processed."""

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
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    resolution: str | None = None

    @property
    def origin(self) -> tuple[str, int, int]:
        return (self.topic, self.partition, self.offset)


class Letters:
    """The dead letters of a service."""

    def __init__(self, service: str, settings: KafkaSettings) -> None:
        self._service = service
        self._settings = settings
        self._topic = f"herald.deadletters.{service}"

    async def open(self, wanted: Callable[[Letter], bool] = lambda _: True) -> list[Letter]:
        """The unresolved letters that are wanted, in the order of their origin. Raises KafkaError."""
        return [letter for letter in await self.all(wanted) if letter.resolution is None]

    async def all(self, wanted: Callable[[Letter], bool] = lambda _: True) -> list[Letter]:
        """The letters that are wanted, open or not, each once, in the order of their origin. Raises KafkaError."""
        found: dict[str, Letter] = {}
        topic = self._settings.topic(self._topic)
        async for record in read_topic(self._settings.kafka_options(), topic):
            headers = text_headers(record.headers)
            id = headers.get(f"{PREFIX}id")
            if id is None:
                continue
            if f"{PREFIX}resolution" in headers:
                if id in found:
                    found[id] = replace(found[id], resolution=headers[f"{PREFIX}resolution"])
            elif id not in found:
                letter = _letter(self._service, id, headers, record)
                if wanted(letter):
                    found[id] = letter
        return sorted(found.values(), key=lambda letter: letter.origin)

    async def replay(
        self, letters: Sequence[Letter], producer: Producer, *, per_second: float
    ) -> AsyncIterator[Letter]:
        """Publish each letter's record again where it came from, with its own event id, and note it.

        In the order given; yields each when Kafka has confirmed both. Whoever applied the event already drops it by
        that id, so that doing this twice changes nothing. Raises Unacknowledged when Kafka does not confirm.
        """
        for letter in letters:
            name = (
                letter.topic.removeprefix(f"{self._settings.namespace}.") if self._settings.namespace else letter.topic
            )
            original = Record(name, letter.key, letter.value, list(letter.headers))  # type: ignore[arg-type]
            await producer.send_all([original])
            await producer.send_all([self._resolution(letter, "replayed")])
            yield letter
            await asyncio.sleep(1 / per_second)

    async def drop(self, letters: Sequence[Letter], producer: Producer) -> None:
        """Note that these letters need nothing more. Raises Unacknowledged when Kafka does not confirm."""
        await producer.send_all([self._resolution(letter, "dropped") for letter in letters])

    def _resolution(self, letter: Letter, what: Resolution) -> Record:
        said = {"id": letter.id, "resolution": what, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        headers = [(f"{PREFIX}{name}", value.encode()) for name, value in said.items()]
        return Record(self._topic, letter.key, None, headers)  # type: ignore[arg-type]


def _letter(service: str, id: str, headers: dict[str, str], record: ConsumerRecord[bytes, bytes]) -> Letter:
    said = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
    return Letter(
        id=id,
        service=service,
        rule=said.get("rule", "unknown"),
        detail=said.get("detail", ""),
        topic=said["topic"],
        partition=int(said["partition"]),
        offset=int(said["offset"]),
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        event_type=headers.get("ce_type", ""),
        event_id=headers.get("ce_id", ""),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX)),
    )
