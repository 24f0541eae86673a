"""Keeps the boards in Redis as MongoDB has them: one process at a time, by the job's lease.

A session claims the cache and, while any board is asked for, listens to what changes in MongoDB, makes each of these
boards, and from there on writes the present state of whoever changed. A session that finds itself superseded (another
process took over, or Redis was flushed) ends, and the next one makes everything anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from opentelemetry.instrumentation.utils import suppress_instrumentation
from redis.exceptions import RedisError

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.jobs import JobContext
from chassis.mongo import pieces
from services.gamification.domain.standings import Change
from services.gamification.leaderboard.cache import Board, Cache, Superseded
from services.gamification.store.standings import CHUNK, Changes, Standings

logger = logging.getLogger(__name__)
REST_SECONDS = 0.5
GATHER_SECONDS = 0.2
WRITTEN_AT_ONCE = 1000
"""Persons times boards."""


class BoardUpdater:
    """What the job `leaderboards` runs."""

    def __init__(self, cache: Cache, standings: Standings, clock: Clock) -> None:
        self._cache = cache
        self._standings = standings
        self._clock = clock

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
        self._writer = new_id()
        self._kept: dict[str, set[str]] = defaultdict(set)

    async def run(self, context: JobContext) -> None:
        await self._cache.claim(self._writer)
        while context.may_go_on:
            if await self._renew():
                async with self._standings.watch() as changes:
                    await self._keep(changes, context)
            else:
                await _rest(context)

    async def _keep(self, changes: Changes, context: JobContext) -> None:
        """Keep what is asked for, as long as anything is: nobody pays for a stream that nobody needs."""
        while context.may_go_on:
            asked = await self._renew()
            kept = {Board(program_id, period) for program_id, periods in self._kept.items() for period in periods}
            for board in kept - asked:
                self._kept[board.program_id].discard(board.period)
                await self._cache.drop(board)
            if not asked:
                return
            for board in asked - kept:
                await self._make(board)
            await self._follow(await _next(changes))

    async def _renew(self) -> set[Board]:
        return await self._cache.renew(self._writer, now=self._clock.now().timestamp())

    async def _make(self, board: Board) -> None:
        """Fill a board with everybody who may be ranked, then let it be read."""
        if not self._kept[board.program_id]:
            await self._cache.clear(board.program_id)
        await self._cache.drop(board)
        self._kept[board.program_id].add(board.period)
        async for ids in self._standings.members(board.program_id):
            await self._put(board.program_id, ids)
            await self._renew()
        await self._cache.open(self._writer, board)

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
        for some in pieces(ids, max(1, WRITTEN_AT_ONCE // max(1, len(periods)))):
            await self._put_some(program_id, some, periods)
            if len(some) < len(ids):
                await self._renew()

    async def _put_some(self, program_id: str, ids: Sequence[str], periods: Sequence[str]) -> None:
        points: dict[str, dict[str, int]] = {period: {} for period in periods}
        for (period, id), score in (await self._standings.points(program_id, periods, ids)).items():
            points[period][id] = score
        members = await self._standings.visible(program_id, ids)
        await self._cache.put(self._writer, program_id, ids, members, points)


async def _next(changes: Changes) -> set[Change]:
    """What changed; waits a moment for more, so that a burst is written once."""
    found: set[Change] = set()
    until = asyncio.get_running_loop().time() + GATHER_SECONDS
    while len(found) < CHUNK and asyncio.get_running_loop().time() < until:
        change = await changes.next()
        if change is None:
            break
        found.add(change)
    return found


async def _rest(context: JobContext) -> None:
    try:
        await asyncio.wait_for(context.stop.wait(), REST_SECONDS)
    except TimeoutError:
        return
