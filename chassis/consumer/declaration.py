"""What a service declares of its consuming: which events it takes, and what it does with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from chassis.consumer.decoder import Received
from chassis.mongo import Transaction
from herald_contracts import Event

__all__ = ["INBOX", "Consumer", "Handler", "InvalidEvent", "Received", "Retry"]
INBOX = "inbox"


class InvalidEvent(Exception):
    """The event can never be applied: it is dead-lettered without a retry. `rule` is a stable word."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class Retry(Exception):
    """What the event needs is not there yet: it is tried again in its place, a bounded number of times."""


Handler = Callable[[Sequence[Received[Event]], Transaction], Awaitable[None]]


class Consumer:
    """The events a service takes, and what it does with them.

    `handle` gets them in the order of each partition, each once, only the declared types, and writes with
    `tx.session`. It may be called again with the same events after its transaction was undone.

    `kept` names the collection in which `handle` itself inserts every event of some types under its id: that is their
    inbox, and they are not noted a second time.
    """

    def __init__(
        self,
        events: Iterable[type[Event]],
        handle: Handler,
        *,
        max_batch: int = 1000,
        kept: Mapping[type[Event], str] = MappingProxyType({}),
    ) -> None:
        self.events = tuple(events)
        self.topics = tuple(sorted({event.topic for event in self.events}))
        self.handle = handle
        self.max_batch = max_batch
        self._types = {event.type for event in self.events}
        self._kept = {event.type: collection for event, collection in kept.items()}

    def wants(self, event_type: str) -> bool:
        return event_type in self._types

    def inbox_of(self, event_type: str) -> str:
        """The collection that has the ids of the events of this type that were applied."""
        return self._kept.get(event_type, INBOX)

    def knows_other_version(self, event_type: str) -> bool:
        """Whether it is a handled event in a version that is not."""
        name = event_type.rpartition(".")[0]
        return any(known.rpartition(".")[0] == name for known in self._types)
