"""What an owner takes back from its own topics after its database was restored to an earlier moment than Kafka.

Kafka then tells of facts that their owner lacks, and of revisions that the owner would give out a second time, so that
every projection would pass over its next changes. A service says in `recovery.py`, by a list of `Kept`, which events
tell of which rows and how a row follows from them. `herald recover` does the rest (ADR 0017).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document
from herald_contracts import Event

VERSION = "version"
Fold = Callable[[AsyncDatabase[Document], Document | None, Sequence[Any]], Awaitable[Document | None]]


class Incomplete(Exception):
    """The events do not say enough to make the row. The text says what is missing, for an operator."""


def lacks_revision(row: Document | None, event: Any) -> bool:
    """Whether the event tells of a later revision than the row has; of one without a revision, that there is no row."""
    if row is None:
        return True
    return event.revision is not None and event.revision > row.get(VERSION, 0)


def is_missing(row: Document | None, _: Any) -> bool:
    """Whether there is no row."""
    return row is None


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of a collection that some events tell of.

    - ``kind``: what one of them is called, to operators.
    - ``id``: the row's `_id`, of an event. All events of one row have the same key on Kafka.
    - ``lacks``: whether the row (None: there is none) is yet to follow the event. It sees the fields in `compared`.
    - ``fold``: the row after the events that it lacks, in their order; None where there is to be no row. Raises
      Incomplete. Doing it again with the same events changes nothing.
    - ``version``: the field that every change of the row raises. It becomes the highest revision of the events.
    """

    kind: str
    collection: str
    events: tuple[type[Event], ...]
    id: Callable[[Any], str]
    fold: Fold
    lacks: Callable[[Document | None, Any], bool] = lacks_revision
    compared: tuple[str, ...] = ()
    version: str = VERSION


async def only_told(_: AsyncDatabase[Document], row: Document | None, __: Sequence[Any]) -> Document | None:
    """For rows of which events say too little: what is missing is told, and nothing is written."""
    if row is None:
        raise Incomplete("to be written again")
    return row
