"""What a service declares of its consuming: a list of which event goes to which command or projection.

CONSUMERS: list[Route[Context]] = [
    on(ProgramCreated, do=project_programs),
    on(PostShared, PostRemoved, do=book_posts, inbox="facts"),
]
Consumer(context, CONSUMERS)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from chassis.consumer.decoder import Received
from chassis.consumer.versions import fact_of
from chassis.mongo import Transaction
from herald_contracts import Event

INBOX = "inbox"
C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)
E1 = TypeVar("E1", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)
E4 = TypeVar("E4", bound=Event)
Handler = Callable[[C, Transaction, Sequence[Received[E1]]], Awaitable[None]]


class InvalidEvent(Exception):
    """The event can never be applied: it is dead-lettered without a retry. `rule` is a stable word.

    Raised by itself, it is found by halving the batch; `InvalidEvents` says which events are meant and spares that.
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class InvalidEvents(Exception):
    """Some events of a batch can never be applied, by their id: they are dead-lettered, and the others applied."""

    def __init__(self, invalid: Mapping[str, InvalidEvent]) -> None:
        super().__init__(f"{len(invalid)} events")
        self.invalid = invalid


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
def on(
    event: type[E1],
    second: type[E2],
    third: type[E3],
    fourth: type[E4],
    /,
    *,
    do: Handler[C, E1 | E2 | E3 | E4],
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
        self.topics = tuple(sorted({topic for event in self.events for topic in event.topics()}))
        self.max_batch = max_batch
        self._context = context
        self._inboxes = _inboxes(self.routes)

    async def apply(self, tx: Transaction, events: Sequence[Received[Event]]) -> None:
        """Hand the events to their routes. Raises what these raise."""
        present = {event.type for event in events}
        for route in self.routes:
            wanted = present & route.types
            if wanted:
                own = events if wanted == present else [event for event in events if event.type in wanted]
                await route.do(self._context, tx, own)

    def inbox_of(self, event_type: str) -> str:
        """The collection that has the ids of the events of this type that were applied."""
        return self._inboxes.get(event_type, INBOX)


def _inboxes(routes: Sequence[Route[Any]]) -> dict[str, str]:
    """By type. Raises ValueError where two versions of a fact differ: they have one id, and are to be applied once."""
    found = {type: route.inbox for route in routes if route.inbox is not None for type in route.types}
    by_fact: dict[str, set[str]] = defaultdict(set)
    for type in {type for route in routes for type in route.types}:
        by_fact[fact_of(type)].add(found.get(type, INBOX))
    if differing := sorted(fact for fact, inboxes in by_fact.items() if len(inboxes) > 1):
        raise ValueError(f"versions of {', '.join(differing)} have different inboxes")
    return found
