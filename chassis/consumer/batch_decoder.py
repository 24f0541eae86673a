"""A batch of records, each decoded once. Later steps only take records out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from chassis.consumer.declaration import InvalidEvent
from chassis.consumer.decoder import Decoded, Decoder, PassedOver, Received
from chassis.consumer.offset_store import Records
from chassis.tasks import yielding
from herald_contracts import Event, Undecodable

Poison = tuple[ConsumerRecord[bytes, bytes], Undecodable]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in the order of each partition, and beside each what it was decoded to."""

    records: Records
    decoded: Sequence[Decoded]

    @property
    def events(self) -> list[Received[Event]]:
        return [one for one in self.decoded if type(one) is Received]

    @property
    def poison(self) -> list[Poison]:
        """The records that are to be dead-lettered, each with the rule that it breaks."""
        pairs = zip(self.records, self.decoded, strict=True)
        return [(record, one) for record, one in pairs if isinstance(one, Undecodable)]

    @property
    def passed_over(self) -> Counter[str]:
        """How many records ask for nothing, by reason."""
        return Counter(one.reason for one in self.decoded if type(one) is PassedOver)

    def only(self, records: Records) -> Batch:
        """The batch without all other records; the same object where these are all."""
        if len(records) == len(self.records):
            return self
        kept = {id(record) for record in records}
        pairs = [pair for pair in zip(self.records, self.decoded, strict=True) if id(pair[0]) in kept]
        return Batch([record for record, _ in pairs], [one for _, one in pairs])

    def rejecting(self, invalid: Mapping[str, InvalidEvent]) -> Batch:
        """The batch with these events, by their id, as poison."""
        return Batch(
            self.records,
            [
                Undecodable(invalid[one.id].rule, invalid[one.id].detail)
                if isinstance(one, Received) and one.id in invalid
                else one
                for one in self.decoded
            ],
        )

    def halves(self) -> tuple[Batch, Batch]:
        middle = len(self.records) // 2
        return (
            Batch(self.records[:middle], self.decoded[:middle]),
            Batch(self.records[middle:], self.decoded[middle:]),
        )

    def __add__(self, other: Batch) -> Batch:
        return Batch([*self.records, *other.records], [*self.decoded, *other.decoded])


class BatchDecoder:
    """Decodes batches, and yields to the event loop in between."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    async def decode(self, records: Records) -> Batch:
        return Batch(records, [self._decoder.decode(record) async for record in yielding(records)])
