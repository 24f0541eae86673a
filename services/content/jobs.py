"""Scheduled work: items expire, feeds are read again. Each write requires the job's lease; what a holder leaves undone,
the next one does.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Final

from pymongo.errors import PyMongoError

from chassis.jobs import Job, JobContext
from chassis.mongo import unreachable
from chassis.mongo.leases import LeaseLost
from chassis.web.problems import NotFound, Problem
from services.content import commands
from services.content.context import Context
from services.content.domain.sources import Source
from services.content.feeds.client import FeedRefused, FetchedFeed

logger = logging.getLogger(__name__)
BATCH: Final = 20


def jobs(context: Context) -> list[Job]:
    """Items that end and sources that are due are looked for every 10 s."""
    return [
        Job("expire-items", timedelta(seconds=10), partial(expire_items, context)),
        Job("look-at-feeds", timedelta(seconds=10), partial(look_at_feeds, context)),
    ]


async def expire_items(context: Context, job: JobContext) -> None:
    """Retires published items whose time is over."""
    while job.may_go_on and (due := await context.store.expired(context.clock.now(), BATCH)):
        for id in due:
            if job.may_go_on:
                await job.lease.transact(partial(commands.expire_item, context, id=id))


async def look_at_feeds(context: Context, job: JobContext) -> None:
    """Reads the sources that are due, the longest due first, several at once."""
    while job.may_go_on and (due := await context.store.due(context.clock.now(), BATCH)):
        looks = await asyncio.gather(*(_look(context, job, source) for source in due), return_exceptions=True)
        for failure in filter(None, looks):
            raise failure


async def _look(context: Context, job: JobContext, source: Source) -> None:
    got: FetchedFeed | FeedRefused
    try:
        got = await context.feeds.look(source)
    except FeedRefused as refusal:
        got = refusal
    try:
        looked = await job.lease.transact(lambda tx: commands.record_look(context, tx, source.id, got))
    except NotFound:
        return
    except Exception as error:
        if isinstance(error, (LeaseLost, Problem)) or (isinstance(error, PyMongoError) and unreachable(error)):
            raise
        logger.exception("what feed source %s says cannot be taken in", source.id)
        failed = FeedRefused("failed", f"It could not be taken in ({type(error).__name__}).")
        looked = await job.lease.transact(lambda tx: commands.record_look(context, tx, source.id, failed))
    assert looked.last is not None
    context.feed_looks.add(1, {"outcome": looked.last.outcome})
