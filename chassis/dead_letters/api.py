"""The routes that every service has for its own dead letters: an administrator looks at them, replays or drops them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Self

from aiokafka.errors import KafkaError
from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from chassis.dead_letters.store import Content, DeadLetter, DeadLetterStore, as_json, as_text
from chassis.kafka.producer import Unacknowledged
from chassis.principals import Principal
from chassis.runtime import Runtime
from chassis.web.http import Body, Cursor, Limit, Router, decode_cursor, encode_cursor, example, requires
from chassis.web.problems import Conflict, Invalid, NotFound, Overloaded

logger = logging.getLogger(__name__)
READ_SECONDS = 7.0
PER_SECOND = 50.0
AT_ONCE = 200
SHOWN = 65_536
ID = "5f0c7a52-3f3c-5d55-9b0e-6c1f0b6f6a11"
LETTER: dict[str, Any] = {
    "id": ID,
    "rule": "schema-mismatch",
    "detail": "quantity: Input should be a valid integer",
    "event_type": "herald.EngagementRecorded.v1",
    "event_id": "019c1347-d280-752e-b651-3270269e0d37",
    "topic": "herald.engagements",
    "partition": 3,
    "offset": 41_872,
    "at": "2026-03-04T08:30:12.481Z",
    "size": 412,
    "whole": True,
}
Administrator = Annotated[Principal, requires("admin")]
EventType = Annotated[str, Query(alias="type", max_length=256, examples=["herald.EngagementRecorded.v1"])]
Rule = Annotated[str, Query(max_length=128, description="What was broken", examples=["schema-mismatch"])]
LetterId = Annotated[str, Path(max_length=64, examples=[ID])]


class LetterView(BaseModel):
    """A record that could not be processed, and why."""

    model_config = example(**LETTER)

    id: str
    rule: str = Field(description="Which rule it broke, as a stable word; `failed` is a fault of the service")
    detail: str
    event_type: str
    event_id: str
    topic: str = Field(description="Where it came from, with partition and offset")
    partition: int
    offset: int
    at: AwareDatetime = Field(description="When it was dead-lettered")
    size: int = Field(description="Bytes of its value")
    whole: bool = Field(description="False if it was too large to be kept; it cannot be replayed then")

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(
            id=letter.id,
            rule=letter.rule,
            detail=letter.detail,
            event_type=letter.event_type,
            event_id=letter.event_id,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            at=letter.at,
            size=letter.size,
            whole=not letter.left_out,
        )


class Group(BaseModel):
    """How many open letters have a type and a rule in common."""

    event_type: str
    rule: str
    count: int


class LettersView(BaseModel):
    """Open dead letters in the order of their origin."""

    model_config = example(
        items=[LETTER],
        next=None,
        total=1,
        groups=[{"event_type": LETTER["event_type"], "rule": LETTER["rule"], "count": 1}],
    )

    items: list[LetterView]
    next: str | None = Field(description="Cursor of the next page")
    total: int = Field(description="Open letters of this type and rule")
    groups: list[Group] = Field(description="All open letters of the service")


class HeaderView(BaseModel):
    name: str
    value: str | None = Field(description="Null where the header had no value")


class LetterDetails(LetterView):
    """A letter with the record that it is about, as text: what is no text as `\\xff`."""

    model_config = example(
        **LETTER,
        key="amina",
        headers=[{"name": "ce_type", "value": "herald.EngagementRecorded.v1"}],
        value='{\n  "quantity": "many"\n}',
        json_value=True,
        cut=False,
    )

    key: str | None
    headers: list[HeaderView]
    value: str | None
    json_value: bool = Field(description="Whether the value is JSON")
    cut: bool = Field(description=f"Whether only the first {SHOWN} characters of it are here")


class LettersOrder(Body):
    """Which letters: these, or all open ones of a type and rule. Without `dry_run: false` nothing happens."""

    ids: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=AT_ONCE, examples=[[ID]])
    type: str = Field("", max_length=256)
    rule: str = Field("", max_length=128)
    before: AwareDatetime | None = Field(None, description="Only what was dead-lettered by then")
    dry_run: bool = True

    def wants(self, letter: DeadLetter) -> bool:
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.type or letter.event_type == self.type)
            and (not self.rule or letter.rule == self.rule)
            and (self.before is None or letter.at <= self.before)
        )


class Done(BaseModel):
    """What was done, or would be."""

    model_config = example(dry_run=True, done=0, left=1, not_whole=0, before="2026-03-04T08:31:00Z", items=[LETTER])

    dry_run: bool
    done: int
    left: int = Field(description=f"Letters still to do: a request replays {AT_ONCE} at most")
    not_whole: int = Field(description="Letters that cannot be replayed because they were too large to be kept")
    before: AwareDatetime = Field(description="Send it along to do exactly this")
    items: list[LetterView] = Field(description="The first of those to do, or of those that were done")


@asynccontextmanager
async def _kafka(seconds: float | None = READ_SECONDS) -> AsyncIterator[None]:
    """503 where Kafka does not answer in time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, Unacknowledged, TimeoutError, OSError) as error:
        logger.warning("dead letters cannot be had: %s", type(error).__name__)
        raise Overloaded("Kafka does not answer.", retry_after=5) from error


def letters_router(runtime: Runtime) -> Router:
    """The routes for the dead letters of one service."""
    router = Router(prefix="/v1/deadletters", tags=["dead letters"])
    letters = DeadLetterStore(runtime.name, runtime.settings)
    busy = asyncio.Lock()

    @router.get("")
    async def list_letters(
        _: Administrator, event_type: EventType = "", rule: Rule = "", cursor: Cursor = None, limit: Limit = 50
    ) -> LettersView:
        """Open dead letters, by type and rule."""
        after = _origin(cursor)
        async with _kafka():
            found = await letters.open()
        counts = Counter((letter.event_type, letter.rule) for letter in found)
        wanted = [one for one in found if event_type in ("", one.event_type) and rule in ("", one.rule)]
        rest = [letter for letter in wanted if letter.origin > after]
        shown = rest[:limit]
        return LettersView(
            items=[LetterView.of(letter) for letter in shown],
            next=encode_cursor(shown[-1].origin) if len(rest) > limit else None,
            total=len(wanted),
            groups=[Group(event_type=one, rule=two, count=count) for (one, two), count in counts.most_common()],
        )

    @router.get("/{letter_id}")
    async def show_letter(_: Administrator, letter_id: LetterId) -> LetterDetails:
        """One letter, with the record that it is about."""
        async with _kafka():
            found = await letters.open(lambda one: one.id == letter_id)
            content = await letters.content(found[0]) if found else None
        if content is None:
            raise NotFound("open dead letter", letter_id)
        return _details(found[0], content)

    @router.post("/replay")
    async def replay_letters(order: LettersOrder, caller: Administrator) -> Done:
        """Publish records again where they came from: in order, and slowly. Nobody applies an event twice."""
        async with _kafka():
            found = await letters.open(order.wants)
        whole = [letter for letter in found if not letter.left_out]
        if order.dry_run:
            return _done(order, runtime.clock.now(), whole, len(found) - len(whole))
        if busy.locked():
            raise Conflict("A replay is under way.", type_="replay-under-way")
        async with busy, _kafka(None):
            replayed = letters.replay(whole[:AT_ONCE], runtime.producer, per_second=PER_SECOND, by=caller.id)
            done = [letter async for letter in replayed]
        logger.info("%s replayed %d dead letters", caller.id, len(done))
        return _done(order, runtime.clock.now(), whole, len(found) - len(whole), done)

    @router.post("/drop")
    async def drop_letters(order: LettersOrder, caller: Administrator) -> Done:
        """Close letters that need nothing more. Their records stay on the topic as long as it keeps them."""
        async with _kafka():
            found = await letters.open(order.wants)
        if order.dry_run:
            return _done(order, runtime.clock.now(), found)
        async with _kafka(None):
            await letters.drop(found, runtime.producer, by=caller.id)
        logger.info("%s dropped %d dead letters", caller.id, len(found))
        return _done(order, runtime.clock.now(), found, done=found)

    return router


def _origin(cursor: str | None) -> tuple[str, int, int]:
    match decode_cursor(cursor):
        case None:
            return ("", 0, 0)
        case [str(topic), int(partition), int(offset)]:
            return (topic, partition, offset)
    raise Invalid.one("cursor", "format", "This cursor was not given out here.")


def _details(letter: DeadLetter, content: Content) -> LetterDetails:
    pretty = as_json(content.value)
    value = pretty if pretty is not None else None if content.value is None else as_text(content.value)
    return LetterDetails(
        **LetterView.of(letter).model_dump(),
        key=None if content.key is None else as_text(content.key)[:SHOWN],
        headers=[
            HeaderView(name=as_text(name.encode()), value=None if given is None else as_text(given)[:SHOWN])
            for name, given in content.headers
        ],
        value=value and value[:SHOWN],
        json_value=pretty is not None,
        cut=len(value or "") > SHOWN,
    )


def _done(
    order: LettersOrder, now: datetime, found: Sequence[DeadLetter], not_whole: int = 0, done: Sequence[DeadLetter] = ()
) -> Done:
    return Done(
        dry_run=order.dry_run,
        done=len(done),
        left=len(found) - len(done),
        not_whole=not_whole,
        before=order.before or now,
        items=[LetterView.of(letter) for letter in (done or found)[:100]],
    )
