"""What one record is to a consumer: an event for it, poison, or nothing of its concern."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from aiokafka import ConsumerRecord

from chassis.consumer.versions import Versions, listed_for
from chassis.dead_letters.record import REPLAYED_FOR
from herald_contracts import Event, Undecodable
from herald_contracts.base import in_utc
from herald_contracts.envelope import MAX_ID, SPEC_VERSION, decode, text_headers

if TYPE_CHECKING:
    from chassis.consumer.declaration import Consumer

logger = logging.getLogger(__name__)
E = TypeVar("E", bound=Event, covariant=True)
_SPEC_VERSION = SPEC_VERSION.encode()


class Received(NamedTuple, Generic[E]):
    """An event as it came from Kafka. Its trace context is that of its `process` span."""

    id: str
    type: str
    subject: str
    time: datetime
    data: E
    topic: str
    partition: int
    offset: int
    traceparent: str | None
    tracestate: str | None


class PassedOver(NamedTuple):
    """A record that asks nothing of this consumer, and the rule of `docs/guides/consuming.md` that says so."""

    reason: str


Decoded = Received[Event] | Undecodable | PassedOver


class Decoder:
    """For one service's consumer; `topics` gives a topic's name without the installation's prefix."""

    def __init__(self, service: str, consumer: Consumer, topics: Mapping[str, str]) -> None:
        self._service = service
        self._taken = frozenset(event.type for event in consumer.events)
        self._versions = Versions(self._taken, listed_for(service))
        self._classes = {event.type.encode(): event for event in consumer.events}
        self._topics = topics

    def decode(self, record: ConsumerRecord[bytes, bytes]) -> Decoded:
        """Never raises: a record that makes the decoder fail is poison too."""
        event = self._valid(record)
        if event is not None:
            return event
        try:
            return self._closely(record)
        except Undecodable as poison:
            return poison
        except Exception as error:
            logger.exception("a record cannot be decoded")
            return Undecodable("failed", type(error).__name__)

    def _valid(self, record: ConsumerRecord[bytes, bytes]) -> Received[Event] | None:
        """What `herald_contracts.decode` makes of a sound record, at half of its cost.

        None for any other record, and for one that needs a second look: it is for `decode` to say what is wrong.
        """
        headers = dict(record.headers)
        event = self._classes.get(headers.get("ce_type", b""))
        if event is None or REPLAYED_FOR in headers:
            return None
        try:
            id, source = headers["ce_id"], headers["ce_source"]
            subject, key = headers["ce_subject"], headers["ce_partitionkey"]
            if headers["ce_specversion"] != _SPEC_VERSION or not id or not source.isascii():
                return None
            if not 0 < len(source) <= MAX_ID or max(len(id), len(subject), len(key)) > MAX_ID:
                return None
            trace, state = headers.get("traceparent"), headers.get("tracestate")
            return Received(
                id.decode(),
                event.type,
                subject.decode(),
                in_utc(datetime.fromisoformat(headers["ce_time"].decode())),
                event.from_json(record.value or b""),
                self._topics[record.topic],
                record.partition,
                record.offset,
                None if trace is None else trace.decode(),
                None if state is None else state.decode(),
            )
        except (KeyError, AttributeError, TypeError, ValueError):
            return None

    def _closely(self, record: ConsumerRecord[bytes, bytes]) -> Received[Event] | PassedOver:
        """Raises Undecodable."""
        headers = text_headers(record.headers)
        if headers.get(REPLAYED_FOR, self._service) != self._service:
            return PassedOver("replayed-for-another")
        event_type = headers.get("ce_type", "")
        if event_type not in self._taken and event_type.startswith("herald."):
            return PassedOver(self._versions.why_passed_over(event_type))
        event = decode(headers, record.value)
        return Received(
            id=event.id,
            type=event.type,
            subject=event.subject,
            time=event.time,
            data=event.data,
            topic=self._topics[record.topic],
            partition=record.partition,
            offset=record.offset,
            traceparent=event.traceparent,
            tracestate=event.tracestate,
        )
