"""Records that a service could not process, kept whole on `herald.deadletters.<service>`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from aiokafka import ConsumerRecord

from chassis.ids import derived_id
from chassis.runtime import Runtime
from herald_contracts import Record

REPLAYED_FOR = "herald_replayed_for"  # the service that a replayed record is for; the others pass it over
BURST = 500
PER_SECOND = 20.0
MAX_DETAIL = 500
LARGEST = 1_900_000  # bytes; a compressed record of a topic can be more than any topic takes uncompressed
SMALL = 4096
Headers = list[tuple[str, bytes | None]]
Buried = tuple[ConsumerRecord[bytes, bytes], str, str]


class Budget:
    """A token bucket: so many at once, then so many a second. A bad deploy cannot drain a topic at full speed."""

    def __init__(self, burst: float = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = burst
        self._rate = per_second
        self._tokens = burst
        self._at = time.monotonic()

    async def take(self) -> None:
        """Wait for a token."""
        while True:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            await asyncio.sleep((1 - self._tokens) / self._rate)


class DeadLetterWriter:
    """Hands records to the dead-letter topic; returns only when Kafka confirmed them."""

    def __init__(self, runtime: Runtime) -> None:
        self._producer = runtime.dead_letter_producer
        self._topic = f"herald.deadletters.{runtime.name}"
        self._service = runtime.name
        self._budget = Budget()
        self._count = runtime.telemetry.counter("herald.deadletters", "Records dead-lettered, by rule", rule="failed")
        self._confirmed: set[str] = set()

    async def add(self, buried: Sequence[Buried]) -> None:
        """Each with the rule it broke and a detail. Raises Unacknowledged if Kafka did not confirm all."""
        fresh = []
        for record, rule, detail in buried:
            origin = (record.topic, str(record.partition), str(record.offset), str(record.timestamp))
            id = derived_id(self._service, *origin)
            if id not in self._confirmed:
                fresh.append((id, rule, self._letter(record, rule, detail, id)))
        for _ in fresh:
            await self._budget.take()
        if not fresh:
            return
        await self._producer.send_all([letter for _, _, letter in fresh])
        for id, rule, _ in fresh:
            self._confirmed.add(id)
            self._count.add(1, {"rule": rule})
        if len(self._confirmed) > 10_000:
            self._confirmed = {id for id, _, _ in fresh}

    def _letter(self, record: ConsumerRecord[bytes, bytes], rule: str, detail: str, id: str) -> Record:
        key, value, headers, left_out = _fitting(record)
        added = {
            "herald_deadletter_id": id,
            "herald_deadletter_rule": rule,
            "herald_deadletter_detail": detail[:MAX_DETAIL],
            "herald_deadletter_topic": record.topic,
            "herald_deadletter_partition": str(record.partition),
            "herald_deadletter_offset": str(record.offset),
            "herald_deadletter_timestamp": str(record.timestamp),
        }
        if left_out:
            added["herald_deadletter_left_out"] = left_out
        headers.extend((name, text.encode()) for name, text in added.items())
        return Record(self._topic, key, value, headers)  # type: ignore[arg-type]


def _fitting(record: ConsumerRecord[bytes, bytes]) -> tuple[bytes | None, bytes | None, Headers, str]:
    """Key, value and headers as they are, if the dead-letter topic takes them; else what fits, and what does not."""
    key, value = record.key, record.value
    headers = [(name, None if given is None else bytes(given)) for name, given in record.headers]
    size = len(key or b"") + len(value or b"") + sum(len(name) + len(given or b"") for name, given in headers)
    if size <= LARGEST:
        return key, value, headers, ""
    small = [(name, given) for name, given in headers if len(name) + len(given or b"") <= SMALL][:100]
    return (key or b"")[:SMALL], None, small, f"value and what is large of {size} bytes"
