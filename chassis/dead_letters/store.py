"""Dead letters: list, show, replay and drop.

Pages and counts come from the index (`index.py`), what a dead letter holds from Kafka. What is done with one is written
to Kafka, the source of truth, and then to the index.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from chassis.dead_letters.index import DeadLetterIndex
from chassis.dead_letters.record import (
    REPLAYED_FOR,
    Content,
    DeadLetter,
    read_content,
    read_dead_letter,
    topic_of,
    write_resolution,
)
from chassis.kafka.producer import Producer
from chassis.kafka.topic_reader import at_offsets, read_topic
from chassis.settings import KafkaSettings
from herald_contracts import Record


class DeadLetterTopic:
    """The dead letters of a service as Kafka has them. Everything raises KafkaError or TimeoutError when it is away."""

    def __init__(self, service: str, settings: KafkaSettings) -> None:
        self._service = service
        self._settings = settings
        self._topic = settings.topic(topic_of(service))

    async def read(self) -> AsyncIterator[DeadLetter]:
        """The whole topic as it comes: dead letters, and resolutions of dead letters; memory for a fetch."""
        async for record in read_topic(self._settings.kafka_options(), self._topic):
            one = read_dead_letter(self._service, record)
            if one is not None:
                yield one

    async def all(self, wanted: Callable[[DeadLetter], bool] = lambda _: True) -> list[DeadLetter]:
        """Those that are wanted, open or not, each once, in the order of their origin."""
        found: dict[str, DeadLetter] = {}
        resolved: dict[str, str] = {}
        async for one in self.read():
            if one.resolution is not None:
                resolved[one.id] = one.resolution
            elif wanted(one):
                found.setdefault(one.id, one)
        told = (replace(one, resolution=resolved.get(one.id)) for one in found.values())
        return sorted(told, key=lambda one: one.origin)

    async def contents(self, dead_letters: Sequence[DeadLetter]) -> AsyncIterator[tuple[DeadLetter, Content]]:
        """What each holds, in the order given, without those that are there no more; memory for one."""
        places = [one.place for one in dead_letters]
        async for number, record in at_offsets(self._settings.kafka_options(), self._topic, places):
            yield dead_letters[number], read_content(record)

    async def content(self, dead_letter: DeadLetter) -> Content | None:
        """What it holds; None if it is there no more."""
        found = [content async for _, content in self.contents([dead_letter])]
        return found[0] if found else None


class DeadLetterStore:
    """Index and topic of a service together."""

    def __init__(self, service: str, settings: KafkaSettings, db: AsyncDatabase[dict[str, Any]]) -> None:
        self._service = service
        self._settings = settings
        self.index = DeadLetterIndex(service, db)
        self.topic = DeadLetterTopic(service, settings)

    async def replay(
        self, dead_letters: Sequence[DeadLetter], producer: Producer, *, per_second: float, by: str
    ) -> AsyncIterator[DeadLetter]:
        """Publish each record again where it came from, with its own event id, and note who (`by`) did so.

        In the order given; yields each when Kafka has confirmed both. The record says whom it is for, so that only the
        service that failed takes it, and one that has applied the event drops it by that id: doing this twice changes
        nothing. What is not whole is passed over. Raises Unacknowledged when Kafka does not confirm.
        """
        prefix = self._settings.topic("")
        pause = 0.0
        async for one, content in self.topic.contents([one for one in dead_letters if not one.left_out]):
            await asyncio.sleep(pause)
            pause = 1 / per_second
            headers = [(name, value) for name, value in content.headers if name != REPLAYED_FOR]
            headers.append((REPLAYED_FOR, self._service.encode()))
            name = one.topic.removeprefix(prefix)
            await producer.send_all([Record(name, content.key, content.value, headers)])  # type: ignore[arg-type]
            now = datetime.now(UTC)
            await producer.send_all([write_resolution(one, "replayed", by=by, at=now)])
            await self.index.resolve([one.id], "replayed", now)
            yield one

    async def drop(self, dead_letters: Sequence[DeadLetter], producer: Producer, *, by: str) -> None:
        """Note that these need nothing more, and who (`by`) said so. Raises Unacknowledged."""
        now = datetime.now(UTC)
        await producer.send_all([write_resolution(one, "dropped", by=by, at=now) for one in dead_letters])
        await self.index.resolve([one.id for one in dead_letters], "dropped", now)


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
