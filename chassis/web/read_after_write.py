"""Reading what one has just written: an answer names the events it caused, a reader waits until they were applied.

1. The answer of a command carries `Herald-Events`: type and id of each event of its transaction, such as
   `herald.AmbassadorJoined.v1/019c1347-d280-752e-b651-3270269e0d37`.
2. The caller sends these with what it asks next, of any service, as `Herald-After`.
3. A service that takes events of such a type looks for their ids among those that it applied, and answers once they
   are there. After `wait_seconds` it answers as things stand: a dead letter or an outage holds nobody up for long.

Nothing is written for this: the ids of applied events are what deduplicates them.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from fastapi import Header, Request

from chassis.mongo import Document, Mongo
from herald_contracts import AdministrativeActRecorded

if TYPE_CHECKING:
    from chassis.consumer import Consumer

EVENTS = "Herald-Events"
AFTER = "Herald-After"
MAX_EVENTS = 8
LOOK_EVERY = (0.01, 0.02, 0.05, 0.1)
"""Seconds between two looks; the last again and again."""
_EVENT = re.compile(r"^(herald\.[A-Za-z]{1,64}\.v\d{1,3})/([0-9a-f-]{36})$")


def named(rows: Sequence[Document]) -> str:
    """The events of outbox rows as `Herald-Events` names them: the last ones, where there are many.

    Not those of the audit trail: no page that follows an act shows them.
    """
    types = [(row["headers"]["ce_type"].decode(), row["_id"]) for row in rows]
    shown = [f"{type_}/{id}" for type_, id in types if type_ != AdministrativeActRecorded.type]
    return ", ".join(shown[-MAX_EVENTS:])


def parse(header: str | None) -> list[tuple[str, str]]:
    """Types and ids; what is no such name is passed over."""
    found = (_EVENT.match(one.strip()) for one in (header or "").split(","))
    return [(match[1], match[2]) for match in found if match][:MAX_EVENTS]


async def wait_until(known: Callable[[], Awaitable[bool]], *, seconds: float) -> bool:
    """Whether `known` came to be true within so many seconds; it is asked at least once."""
    clock = asyncio.get_running_loop().time
    latest = clock() + seconds
    pauses = iter(LOOK_EVERY)
    pause = 0.0
    while not await known():
        if clock() >= latest:
            return False
        pause = next(pauses, pause)
        await asyncio.sleep(min(pause, max(0.0, latest - clock())))
    return True


class AppliedEvents:
    """What a service's consumer has applied."""

    def __init__(self, mongo: Mongo, consumer: Consumer, *, seconds: float) -> None:
        self._db = mongo.db
        self._consumer = consumer
        self._types = {event.type for event in consumer.events}
        self._seconds = seconds

    async def wait_for(self, events: Iterable[tuple[str, str]]) -> bool:
        """Whether those of the events that this service takes were applied, within the time that there is."""
        missing: dict[str, set[str]] = defaultdict(set)
        for type_, id in events:
            if type_ in self._types:
                missing[self._consumer.inbox_of(type_)].add(id)

        async def applied() -> bool:
            for inbox, ids in missing.items():
                async for row in self._db[inbox].find({"_id": {"$in": list(ids)}}, {"_id": 1}):
                    ids.discard(row["_id"])
            return not any(missing.values())

        return await wait_until(applied, seconds=self._seconds)


async def after(
    request: Request,
    herald_after: Annotated[
        str | None,
        Header(max_length=1024, description="`Herald-Events` of answers before: wait until they are known here"),
    ] = None,
) -> None:
    """A dependency that waits for what the request names, once; of no effect where the service takes no events."""
    applied: AppliedEvents | None = getattr(request.app.state, "applied", None)
    if applied is not None and not hasattr(request.state, "waited") and (events := parse(herald_after)):
        request.state.waited = True
        await applied.wait_for(events)
