"""What content does by itself: items end at their time, feeds are looked at again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from opentelemetry.metrics import Counter, Meter

from chassis.clock import Clock
from chassis.jobs import JobContext
from chassis.web.problems import NotFound
from services.content import commands
from services.content.domain import Source
from services.content.feeds.client import FeedRefused, Feeds, Got
from services.content.store import Store

EVERY: Final = timedelta(seconds=10)
BATCH: Final = 20


@dataclass
class Upkeep:
    """The jobs. Each write holds only under the job's lease; what a lost one left is done by the next holder."""

    store: Store
    feeds: Feeds
    clock: Clock
    interval: timedelta
    meter: Meter
    _looks: Counter = field(init=False)

    def __post_init__(self) -> None:
        self._looks = self.meter.create_counter("herald.content.feed_looks", description="By what came of them")

    async def expire_items(self, context: JobContext) -> None:
        """Retires published items whose time is over."""
        while context.may_go_on and (due := await self.store.expired(self.clock.now(), BATCH)):
            for id in due:
                if context.may_go_on:
                    await context.lease.transact(partial(commands.expire_item, self.store, id))

    async def look_at_feeds(self, context: JobContext) -> None:
        """Looks at the sources whose time has come, the longest due first, some at once."""
        while context.may_go_on and (due := await self.store.due(self.clock.now(), BATCH)):
            looks = await asyncio.gather(*(self._look(source, context) for source in due), return_exceptions=True)
            for failure in filter(None, looks):
                raise failure

    async def _look(self, source: Source, context: JobContext) -> None:
        got: Got | FeedRefused
        try:
            got = await self.feeds.look(source)
        except FeedRefused as refusal:
            got = refusal
        try:
            looked = await context.lease.transact(
                lambda tx: commands.record_look(self.store, tx, source.id, got, self.interval)
            )
        except NotFound:
            return
        assert looked.last is not None
        self._looks.add(1, {"outcome": looked.last.outcome})
