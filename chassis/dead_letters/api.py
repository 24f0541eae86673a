"""The routes that every service has for its own dead letters: an administrator looks at them, replays or drops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from aiokafka.errors import KafkaError
from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from chassis import audit
from chassis.dead_letters import cap
from chassis.dead_letters.index import Wanted
from chassis.dead_letters.record import Content, DeadLetter
from chassis.dead_letters.store import DeadLetterStore, as_json, as_text
from chassis.kafka.producer import Producer, Unacknowledged
from chassis.mongo import Transaction
from chassis.principals import Principal
from chassis.runtime import Runtime
from chassis.web.http import Acting, Cursor, Limit, Router, decode_cursor, encode_cursor, example, requires
from chassis.web.json_bodies import Body
from chassis.web.problems import Conflict, ForeignCursor, NotFound, Overloaded
from chassis.web.statuses import problems
from chassis.web.times import Moment

logger = logging.getLogger(__name__)
READ_SECONDS = 7.0
PER_SECOND = 50.0
AT_ONCE = 200
DROPPED_AT_ONCE = 1000
SHOWN = 65_536
ID = "5f0c7a52-3f3c-5d55-9b0e-6c1f0b6f6a11"
DEAD_LETTER: dict[str, Any] = {
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
DeadLetterId = Annotated[str, Path(max_length=64, examples=[ID])]


class DeadLetterView(BaseModel):
    """A record that could not be processed, and why."""

    model_config = example(**DEAD_LETTER)

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
    def of(cls, one: DeadLetter) -> Self:
        return cls(
            id=one.id,
            rule=one.rule,
            detail=one.detail,
            event_type=one.event_type,
            event_id=one.event_id,
            topic=one.topic,
            partition=one.partition,
            offset=one.offset,
            at=one.at,
            size=one.size,
            whole=not one.left_out,
        )


class Group(BaseModel):
    """How many open dead letters have a type and a rule in common."""

    event_type: str
    rule: str
    count: int


class DeadLettersView(BaseModel):
    """Open dead letters in the order of their origin."""

    model_config = example(
        items=[DEAD_LETTER],
        next=None,
        total=1,
        groups=[{"event_type": DEAD_LETTER["event_type"], "rule": DEAD_LETTER["rule"], "count": 1}],
    )

    items: list[DeadLetterView]
    next: str | None = Field(description="Cursor of the next page")
    total: int = Field(description="Open dead letters of this type and rule")
    groups: list[Group] = Field(description="All open dead letters of the service")


class HeaderView(BaseModel):
    name: str
    value: str | None = Field(description="Null where the header had no value")


class DeadLetterDetails(DeadLetterView):
    """A dead letter with the record that it is about, as text: what is no text as `\\xff`."""

    model_config = example(
        **DEAD_LETTER,
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


class DeadLettersOrder(Body):
    """Which dead letters: these, or all open ones of a type and rule. Without `dry_run: false` nothing happens."""

    ids: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=AT_ONCE, examples=[[ID]])
    type: str = Field("", max_length=256)
    rule: str = Field("", max_length=128)
    before: Moment | None = Field(None, description="Only what was dead-lettered by then")
    dry_run: bool = True

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.ids, self.type, self.rule, self.before)


class Done(BaseModel):
    """What was done, or would be."""

    model_config = example(
        dry_run=True, done=0, left=1, not_whole=0, before="2026-03-04T08:31:00Z", items=[DEAD_LETTER]
    )

    dry_run: bool
    done: int
    left: int = Field(description=f"Dead letters still to do: a request replays {AT_ONCE} at most")
    not_whole: int = Field(description="Dead letters that cannot be replayed because they were too large to be kept")
    before: AwareDatetime = Field(description="Send it along to do exactly this")
    items: list[DeadLetterView] = Field(description="The first of those to do, or of those that were done")


class ResumeOrder(Body):
    """How fast records may be dead-lettered for a while, so that paused partitions get past a flood."""

    per_second: float = Field(2000.0, gt=0, le=100_000, description="For each worker of the service")
    minutes: float = Field(15.0, gt=0, le=1440)


class Lifted(BaseModel):
    """The cap on dead letters is lifted."""

    model_config = example(per_second=2000.0, until="2026-03-04T08:45:00Z")

    per_second: float
    until: AwareDatetime


@asynccontextmanager
async def _kafka(seconds: float | None = READ_SECONDS) -> AsyncIterator[None]:
    """503 where Kafka does not answer in time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, Unacknowledged, TimeoutError, OSError) as error:
        logger.warning("dead letters cannot be had: %s", type(error).__name__)
        raise Overloaded("Kafka does not answer.", retry_after=5) from error


def dead_letters_router(runtime: Runtime) -> Router:
    """The routes for the dead letters of one service."""
    router = Router(prefix="/deadletters", tags=["dead letters"])
    store = DeadLetterStore(runtime.name, runtime.settings, runtime.mongo.db)
    busy = asyncio.Lock()

    @router.get("")
    async def list_dead_letters(
        _: Administrator, event_type: EventType = "", rule: Rule = "", cursor: Cursor = None, limit: Limit = 50
    ) -> DeadLettersView:
        """Open dead letters, by type and rule. What was just dead-lettered is listed within seconds."""
        return await _list(store, Wanted(event_type=event_type, rule=rule), _origin(cursor), limit)

    @router.get("/{dead_letter_id}")
    async def show_dead_letter(_: Administrator, dead_letter_id: DeadLetterId) -> DeadLetterDetails:
        """One dead letter, with the record that it is about."""
        return await _show(store, dead_letter_id)

    @router.post("/replay", responses=problems(409))
    async def replay_dead_letters(order: DeadLettersOrder, caller: Administrator, acting: Acting) -> Done:
        """Publish records again where they came from: in order, and slowly. Nobody applies an event twice."""
        whole, not_whole = await _counts(store, order)
        first = await store.index.page(order.wanted, after=None, limit=AT_ONCE)
        if order.dry_run:
            return _done(order, runtime.clock.now(), first, left=whole, not_whole=not_whole)
        if busy.locked():
            raise Conflict("A replay is under way.", type_="replay-under-way")
        async with busy, _kafka(None):
            await acting.transact(_recording("replay_dead_letters", order, count=len(first)))
            replayed = store.replay(first, runtime.producer, per_second=PER_SECOND, by=caller.id)
            done = [one async for one in replayed]
        logger.info("%s replayed %d dead letters", caller.id, len(done))
        return _done(order, runtime.clock.now(), done, left=whole - len(done), not_whole=not_whole, done=len(done))

    @router.post("/drop")
    async def drop_dead_letters(order: DeadLettersOrder, caller: Administrator, acting: Acting) -> Done:
        """Close dead letters that need nothing more. Their records stay on the topic as long as it keeps them."""
        left = sum(await _counts(store, order))
        shown = await store.index.page(order.wanted, after=None, limit=AT_ONCE)
        if order.dry_run:
            return _done(order, runtime.clock.now(), shown, left=left)
        await acting.transact(_recording("drop_dead_letters", order, count=left))
        async with _kafka(None):
            dropped = await _drop(store, order.wanted, shown, runtime.producer, by=caller.id)
        logger.info("%s dropped %d dead letters", caller.id, dropped)
        return _done(order, runtime.clock.now(), shown, left=max(0, left - dropped), done=dropped)

    @router.post("/resume")
    async def resume_consumer(order: ResumeOrder, caller: Administrator, acting: Acting) -> Lifted:
        """Let a flood through: partitions that the cap on dead letters has paused go on at this rate for a while."""
        until = runtime.clock.now() + timedelta(minutes=order.minutes)

        async def lift(tx: Transaction) -> None:
            db = runtime.mongo.db
            await cap.lift(db, per_second=order.per_second, until=until, by=caller.id, session=tx.session)
            facts = {"per_second": order.per_second, "until": until}
            audit.record(tx, "resume_consumer", "consumer", runtime.name, facts=facts)

        await acting.transact(lift)
        logger.info("%s lifted the cap on dead letters to %g a second", caller.id, order.per_second)
        return Lifted(per_second=order.per_second, until=until)

    return router


def _recording(act: str, order: DeadLettersOrder, *, count: int) -> Callable[[Transaction], Awaitable[None]]:
    """Records the act before it begins: what is on Kafka is in no transaction."""

    async def record(tx: Transaction) -> None:
        which = {name: value for name, value in order.model_dump(exclude={"dry_run"}).items() if value}
        audit.record(tx, act, "dead_letters", audit.ALL, facts={**which, "count": count})

    return record


async def _list(
    store: DeadLetterStore, wanted: Wanted, after: tuple[str, int, int] | None, limit: int
) -> DeadLettersView:
    # Counted first: what is counted is on the page, whatever comes meanwhile.
    groups = await store.index.groups()
    found = await store.index.page(wanted, after=after, limit=limit + 1)
    shown = found[:limit]
    counted = [one for one in groups if wanted.event_type in ("", one.event_type) and wanted.rule in ("", one.rule)]
    return DeadLettersView(
        items=[DeadLetterView.of(one) for one in shown],
        next=encode_cursor(shown[-1].origin) if len(found) > limit else None,
        total=sum(one.count for one in counted),
        groups=[Group(event_type=one.event_type, rule=one.rule, count=one.count) for one in groups],
    )


async def _show(store: DeadLetterStore, id: str) -> DeadLetterDetails:
    found = await store.index.find(id)
    if found is not None:
        async with _kafka():
            content = await store.topic.content(found)
        if content is not None:
            return _details(found, content)
    raise NotFound("open dead letter", id)


async def _drop(
    store: DeadLetterStore, wanted: Wanted, first: Sequence[DeadLetter], producer: Producer, *, by: str
) -> int:
    """Drop all that are wanted, of which `first` are the first; how many they were."""
    dropped, some = 0, first
    while some:
        await store.drop(some, producer, by=by)
        dropped += len(some)
        some = await store.index.page(wanted, after=some[-1].origin, limit=DROPPED_AT_ONCE)
    return dropped


async def _counts(store: DeadLetterStore, order: DeadLettersOrder) -> tuple[int, int]:
    """How many of those wanted are whole, and how many are not."""
    return (await store.index.count(order.wanted, whole=True), await store.index.count(order.wanted, whole=False))


def _origin(cursor: str | None) -> tuple[str, int, int] | None:
    match decode_cursor(cursor):
        case None:
            return None
        case [str(topic), int(partition), int(offset)] if max(abs(partition), abs(offset)) < 2**63:
            return (topic, partition, offset)
    raise ForeignCursor


def _details(one: DeadLetter, content: Content) -> DeadLetterDetails:
    pretty = as_json(content.value)
    value = pretty if pretty is not None else None if content.value is None else as_text(content.value)
    return DeadLetterDetails(
        **DeadLetterView.of(one).model_dump(),
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
    order: DeadLettersOrder,
    now: datetime,
    shown: Sequence[DeadLetter],
    *,
    left: int,
    not_whole: int = 0,
    done: int = 0,
) -> Done:
    return Done(
        dry_run=order.dry_run,
        done=done,
        left=left,
        not_whole=not_whole,
        before=order.before or now,
        items=[DeadLetterView.of(one) for one in shown[:100]],
    )
