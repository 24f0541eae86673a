"""Hands records to the dead-letter topic of a service, each once, within the cap."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from chassis.dead_letters.cap import DeadLetterCap
from chassis.dead_letters.record import dead_letter_id, write_dead_letter
from chassis.kafka.producer import Unacknowledged
from chassis.runtime import Runtime
from herald_contracts import Undecodable

REMEMBERED = 10_000


class DeadLetterWriter:
    """What it returns from is confirmed by Kafka."""

    def __init__(self, runtime: Runtime, cap: DeadLetterCap) -> None:
        self._producer = runtime.dead_letter_producer
        self._service = runtime.name
        self._cap = cap
        self._count = runtime.telemetry.counter("herald.deadletters", "Records dead-lettered, by rule", rule="failed")
        self._confirmed: dict[str, None] = {}

    async def add(self, poison: Sequence[tuple[ConsumerRecord[bytes, bytes], Undecodable]]) -> None:
        """Each with the rule it breaks; what Kafka confirmed before is left out. Raises Unacknowledged if Kafka did not
        confirm all: what it did confirm is not sent again."""
        fresh = {dead_letter_id(self._service, record): (record, reason) for record, reason in poison}
        fresh = {id: one for id, one in fresh.items() if id not in self._confirmed}
        if not fresh:
            return
        records = [
            write_dead_letter(self._service, record, why.rule, why.detail, id=id) for id, (record, why) in fresh.items()
        ]
        confirmed = await self._producer.send(records)
        for (id, (_, why)), taken in zip(fresh.items(), confirmed, strict=True):
            if taken:
                self._confirmed[id] = None
                self._cap.spend(1)
                self._count.add(1, {"rule": why.rule})
        while len(self._confirmed) > REMEMBERED:
            del self._confirmed[next(iter(self._confirmed))]
        if not all(confirmed):
            raise Unacknowledged
