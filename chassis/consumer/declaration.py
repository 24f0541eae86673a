"""What a service declares of its consuming: a list of which event goes to which command or projection.

CONSUMERS: list[Route[Context]] = [
    on(ProgramCreated, do=project_programs),
    on(PostShared, PostRemoved, do=book_posts, inbox="facts"),
]
Consumer(context, CONSUMERS)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from chassis.consumer.decoder import Received
from chassis.mongo import Transaction
from herald_contracts import Event

INBOX = "inbox"
C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)
E1 = TypeVar("E1", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)
Handler = Callable[[C, Transaction, Sequence[Received[E1]]], Awaitable[None]]


class InvalidEvent(Exception):
    """The event can never be applied: it is dead-lettered without a retry. `rule` is a stable word."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class Retry(Exception):
    """What the event needs is not there yet: it is tried again in its place, a bounded number of times."""


@dataclass(frozen=True, slots=True)
class Route(Generic[C_contra]):
    """Events of some types, and the command or projection that they go to. See `on`."""

    events: tuple[type[Event], ...]
    do: Callable[[C_contra, Transaction, Any], Awaitable[None]]
    inbox: str | None
    types: frozenset[str]


@overload
def on(event: type[E1], /, *, do: Handler[C, E1], inbox: str | None = None) -> Route[C]: ...
@overload
def on(event: type[E1], second: type[E2], /, *, do: Handler[C, E1 | E2], inbox: str | None = None) -> Route[C]: ...
@overload
def on(
    event: type[E1],
    second: type[E2],
    third: type[E3],
    /,
    *,
    do: Handler[C, E1 | E2 | E3],
    inbox: str | None = None,
) -> Route[C]: ...
@overload
def on(*events: type[Event], do: Handler[C, Event], inbox: str | None = None) -> Route[C]: ...
def on(
    *events: type[Event], do: Callable[[C, Transaction, Any], Awaitable[None]], inbox: str | None = None
) -> Route[C]:
    """`do` is called with the context, the transaction and all events of these types in a batch, in their order.

    `inbox` names the collection in which `do` itself inserts each of them under its event's id: they are not noted a
    second time in the inbox.
    """
    return Route(events, do, inbox, frozenset(event.type for event in events))


class Consumer:
    """The events that a service takes, and what it does with them.

    Each batch goes through the routes in the order of the list; an event may have several. A route is called with
    the events of its types in the order of each partition, each once, and writes with `tx.session`. It may be called
    again with the same events after its transaction was undone.
    """

    def __init__(self, context: C, routes: Iterable[Route[C]], *, max_batch: int = 1000) -> None:
        self.routes = tuple(routes)
        self.events = tuple(dict.fromkeys(event for route in self.routes for event in route.events))
        self.topics = tuple(sorted({event.topic for event in self.events}))
        self.max_batch = max_batch
        self._context = context
        self._types = {event.type for event in self.events}
        self._inboxes = {type: route.inbox for route in self.routes if route.inbox for type in route.types}

    async def apply(self, tx: Transaction, events: Sequence[Received[Event]]) -> None:
        """Hand the events to their routes. Raises what these raise."""
        present = {event.type for event in events}
        for route in self.routes:
            wanted = present & route.types
            if wanted:
                own = events if wanted == present else [event for event in events if event.type in wanted]
                await route.do(self._context, tx, own)

    def wants(self, event_type: str) -> bool:
        return event_type in self._types

    def inbox_of(self, event_type: str) -> str:
        """The collection that has the ids of the events of this type that were applied."""
        return self._inboxes.get(event_type, INBOX)

    def knows_other_version(self, event_type: str) -> bool:
        """Whether it is a handled event in a version that is not."""
        name = event_type.rpartition(".")[0]
        return any(known.rpartition(".")[0] == name for known in self._types)
