"""Keeps the boards in Redis as MongoDB has them: one process at a time, by the job's lease.

A session claims the cache and, while any board is asked for, listens to what changes in MongoDB, makes each of these
boards, and from there on writes the present state of whoever changed. A session that finds itself superseded (another
process took over, or Redis was flushed) ends, and the next one makes everything anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from opentelemetry.instrumentation.utils import suppress_instrumentation
from pymongo.asynchronous.change_stream import AsyncChangeStream
from redis.exceptions import RedisError

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.jobs import Job, JobContext
from services.gamification.leaderboard.cache import Board, Cache, Superseded
from services.gamification.store.standings import CHUNK, Change, Standings, change_of

logger = logging.getLogger(__name__)
RESTED = 0.5
GATHERED = 0.2


class Keeper:
    """The job `leaderboards`."""

    def __init__(self, cache: Cache, standings: Standings, clock: Clock) -> None:
        self._cache = cache
        self._standings = standings
        self._clock = clock

    @property
    def job(self) -> Job:
        return Job("leaderboards", timedelta(seconds=1), self.run)

    async def run(self, context: JobContext) -> None:
        """Session after session, for as long as this process holds the lease. Raises PyMongoError."""
        with suppress_instrumentation():
            while context.may_go_on:
                try:
                    await _Session(self._cache, self._standings, self._clock).run(context)
                except Superseded:
                    logger.info("leaderboards are made anew")
                except RedisError as error:
                    logger.warning("leaderboards wait for Redis: %s", type(error).__name__)
                    await _rest(context)


class _Session:
    """From one claim of the cache to its loss."""

    def __init__(self, cache: Cache, standings: Standings, clock: Clock) -> None:
        self._cache = cache
        self._standings = standings
        self._clock = clock
        self._keeper = new_id()
        self._kept: dict[str, set[str]] = defaultdict(set)

    async def run(self, context: JobContext) -> None:
        await self._cache.claim(self._keeper)
        while context.may_go_on:
            if await self._beat():
                async with await self._standings.watch() as changes:
                    await self._keep(changes, context)
            else:
                await _rest(context)

    async def _keep(self, changes: AsyncChangeStream[dict[str, Any]], context: JobContext) -> None:
        """Keep what is asked for, as long as anything is: nobody pays for a stream that nobody needs."""
        while context.may_go_on:
            asked = await self._beat()
            kept = {Board(program_id, period) for program_id, periods in self._kept.items() for period in periods}
            for board in kept - asked:
                self._kept[board.program_id].discard(board.period)
                await self._cache.drop(board)
            if not asked:
                return
            for board in asked - kept:
                await self._make(board)
            await self._follow(await _next(changes))

    async def _beat(self) -> set[Board]:
        return await self._cache.beat(self._keeper, now=self._clock.now().timestamp())

    async def _make(self, board: Board) -> None:
        """Fill a board with everybody who may be ranked, then let it be read."""
        if not self._kept[board.program_id]:
            await self._cache.clear(board.program_id)
        await self._cache.drop(board)
        self._kept[board.program_id].add(board.period)
        async for ids in self._standings.members(board.program_id):
            await self._put(board.program_id, ids)
            await self._beat()
        await self._cache.open(self._keeper, board)

    async def _follow(self, changes: Iterable[Change]) -> None:
        changed: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            for program_id in [change.program_id] if change.program_id else self._kept:
                changed[program_id].add(change.person_id)
        for program_id, ids in changed.items():
            if self._kept.get(program_id):
                await self._put(program_id, sorted(ids))

    async def _put(self, program_id: str, ids: list[str]) -> None:
        """Write the present state of these persons to all boards of the programme that are kept."""
        periods = sorted(self._kept[program_id])
        points: dict[str, dict[str, int]] = {period: {} for period in periods}
        for (period, id), score in (await self._standings.points(program_id, periods, ids)).items():
            points[period][id] = score
        members = await self._standings.visible(program_id, ids)
        await self._cache.put(self._keeper, program_id, ids, members, points)


async def _next(changes: AsyncChangeStream[dict[str, Any]]) -> set[Change]:
    """What changed; waits a moment for more, so that a burst is written once."""
    found: set[Change] = set()
    until = asyncio.get_running_loop().time() + GATHERED
    while len(found) < CHUNK and asyncio.get_running_loop().time() < until:
        event = await changes.try_next()
        if event is None:
            break
        found.add(change_of(event))
    return found


async def _rest(context: JobContext) -> None:
    try:
        await asyncio.wait_for(context.stop.wait(), RESTED)
    except TimeoutError:
        return
