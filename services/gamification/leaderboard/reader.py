"""Answers who stands where."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from opentelemetry.metrics import Counter
from redis.exceptions import RedisError

from chassis.clock import Clock
from chassis.web.problems import Overloaded
from services.gamification.domain.standings import Group, GroupStanding, Standing, rank_groups, ranked
from services.gamification.leaderboard.cache import Board, BoardSlice, Cache
from services.gamification.store.standings import Standings

logger = logging.getLogger(__name__)
MAX_DATABASE_READS = 8
SLOT_WAIT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a leaderboard of persons; `mine` is where the one who asks stands, `next` the position after."""

    standings: list[Standing]
    mine: Standing | None
    next: int | None


class Leaderboard:
    """From Redis when a updater holds the board there, or else, slower and as right, from MongoDB."""

    def __init__(self, cache: Cache, standings: Standings, clock: Clock, reads: Counter) -> None:
        self._cache = cache
        self._standings = standings
        self._clock = clock
        self._reads = reads
        self._slots = asyncio.Semaphore(MAX_DATABASE_READS)

    async def page(
        self, board: Board, *, leaders: bool = False, me: str | None, around: bool = False, start: int = 0, limit: int
    ) -> Page:
        """`limit` persons from position `start` (0 is the top), or with `me` in their middle.

        Nobody who opted out is on it, from the moment at which that is known here.
        """
        half = limit // 2 if around else None
        slice_ = await self._from_cache(board, leaders=leaders, me=me, start=start, around=half, limit=limit + 1)
        self._reads.add(1, {"source": "database" if slice_ is None else "cache"})
        if slice_ is None:
            async with self._database_slot():
                slice_ = await self._from_database(
                    board, leaders=leaders, me=me, start=start, around=half, limit=limit + 1
                )
        found = ranked(slice_.scores, start=slice_.start, first_rank=slice_.first_rank)
        mine = Standing(slice_.my_rank, me, slice_.my_points) if me and slice_.my_rank else None
        return Page(found[:limit], mine, slice_.start + limit if len(found) > limit else None)

    async def rank(self, board: Board, person_id: str) -> int | None:
        """A person's rank among all; None for who has no points or is not ranked."""
        page = await self.page(board, me=person_id, around=True, limit=1)
        return page.mine.rank if page.mine else None

    async def groups(self, board: Board, group: Group) -> list[GroupStanding]:
        """All teams or countries that have points, best first."""
        found = None
        try:
            found = await self._cache.groups(board, group, now=self._now())
        except RedisError as error:
            logger.info("leaderboards are read from the database: %s", type(error).__name__)
        self._reads.add(1, {"source": "database" if found is None else "cache"})
        if found is None:
            async with self._database_slot():
                found = await self._standings.groups(board.program_id, board.period, group)
        return await asyncio.to_thread(rank_groups, found)

    async def invalidate(self) -> None:
        """Have the cache made anew."""
        try:
            await self._cache.invalidate()
        except RedisError as error:
            logger.info("there is no cache to invalidate: %s", type(error).__name__)

    @asynccontextmanager
    async def _database_slot(self) -> AsyncIterator[None]:
        """Few at a time go down a board in MongoDB, for it may be long. Raises Overloaded to who waits too long."""
        try:
            await asyncio.wait_for(self._slots.acquire(), SLOT_WAIT_SECONDS)
        except TimeoutError:
            raise Overloaded("Leaderboards are being made anew.", retry_after=5) from None
        try:
            yield
        finally:
            self._slots.release()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _from_cache(
        self, board: Board, *, leaders: bool, me: str | None, start: int, around: int | None, limit: int
    ) -> BoardSlice | None:
        """What Redis holds, if MongoDB agrees that all of them may be seen."""
        scope = "leaders" if leaders else "individual"
        try:
            found = await self._cache.slice_of(
                board, scope, me=me, start=start, around=around, limit=limit, now=self._now()
            )
        except RedisError as error:
            logger.info("leaderboards are read from the database: %s", type(error).__name__)
            return None
        if found is None:
            return None
        ids = {id for id, _ in found.scores}
        return found if ids <= (await self._standings.visible(board.program_id, ids)).keys() else None

    async def _from_database(
        self, board: Board, *, leaders: bool, me: str | None, start: int, around: int | None, limit: int
    ) -> BoardSlice:
        """The same from MongoDB: goes down the board until it has what is asked for."""
        has_points = me is not None and await self._standings.points(board.program_id, [board.period], [me])
        looked_for = me if has_points else None
        if around is not None and looked_for is None:
            return BoardSlice(start, 0, [])
        mine: Standing | None = None
        above: deque[Standing] = deque(maxlen=around or 0)
        found: list[Standing] = []
        async with aclosing(self._down(board, leaders=leaders)) as positions:
            async for position, standing in positions:
                if standing.id == looked_for:
                    mine = standing
                    if around is not None:
                        start, found = position - len(above), list(above)
                if around is not None and mine is None:
                    above.append(standing)
                elif position >= start and len(found) < limit:
                    found.append(standing)
                if len(found) >= limit and (mine or looked_for is None):
                    break
        scores = [(one.id, one.points) for one in found]
        first_rank = found[0].rank if found else 0
        return BoardSlice(start, first_rank, scores, mine.points if mine else 0, mine.rank if mine else 0)

    async def _down(self, board: Board, *, leaders: bool) -> AsyncGenerator[tuple[int, Standing], None]:
        """Everybody who is ranked, with their position, from the top."""
        position, rank, last = -1, 0, 0
        async for piece in self._standings.scores(board.program_id, board.period):
            members = await self._standings.visible(board.program_id, [id for id, _ in piece])
            for id, points in piece:
                if id not in members or (leaders and not members[id].leader):
                    continue
                position += 1
                if points != last:
                    rank, last = position + 1, points
                yield position, Standing(rank, id, points)
