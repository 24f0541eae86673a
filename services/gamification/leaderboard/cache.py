"""What Redis holds of leaderboards. One writer writes it; nothing is served from it while there is none.

A board is a programme in a period. It has a sorted set of persons, one of leaders, and one of each team's and each
country's points; beside them, a programme has a roster (who is where) and the number of heads of each group.

    writer          who writes, for as long as it says so every few seconds
    ready           the boards that are complete
    asked           the boards that somebody looked at, with when
    board:<programme>|<period>:{individual,leaders,team,country}
    roster:<programme>   heads:<programme>:{team,country}

All of it may vanish at any moment: without `writer` and `ready` nothing is read, and a writer that does not find
itself named stops writing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import count
from typing import Any, cast

import orjson
from redis.asyncio import Redis
from redis.exceptions import WatchError

from chassis.settings import Settings
from services.gamification.domain.standings import Group, Member

TRUSTED_MS = 5_000
KEPT_SECONDS = 3_600
MAX_BOARDS = 256
GROUPS_AT_ONCE = 1000
GROUPS: tuple[Group, ...] = ("team", "country")

_READ = """
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return false end
local function rank(score) return redis.call('ZCOUNT', KEYS[4], '(' .. score, '+inf') + 1 end
local mine = redis.call('ZSCORE', KEYS[4], ARGV[3])
local start, half, limit = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if half >= 0 then
  if not mine then return {start, 0, '0', 0, {}} end
  start = math.max(0, redis.call('ZREVRANK', KEYS[4], ARGV[3]) - half)
end
local items = redis.call('ZREVRANGE', KEYS[4], start, start + limit - 1, 'WITHSCORES')
return {start, #items > 0 and rank(items[2]) or 0, mine or '0', mine and rank(mine) or 0, items}
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
return redis.call('ZRANGE', KEYS[2], 0, -1)
"""


class Superseded(Exception):
    """Redis names another writer, or none."""


@dataclass(frozen=True, slots=True)
class Board:
    """A programme in a period (by its label)."""

    program_id: str
    period: str

    def __str__(self) -> str:
        return f"{self.program_id}|{self.period}"

    @classmethod
    def parse(cls, text: str) -> Board:
        return cls(*text.split("|"))


@dataclass(frozen=True, slots=True)
class BoardSlice:
    """Part of a board: scores in descending order from position `start`, the rank of the first of them, and
    points and rank of the one who asks (0 for none)."""

    start: int
    first_rank: int
    scores: list[tuple[str, int]]
    my_points: int = 0
    my_rank: int = 0


class Cache:
    """Reading and writing it. Every call may raise RedisError."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._prefix = settings.redis_key("gamification")
        self._read_script = redis.register_script(_READ)
        self._renew_script = redis.register_script(_RENEW)
        self._writer, self._ready, self._asked = self._key("writer"), self._key("ready"), self._key("asked")

    def _key(self, *context: str) -> str:
        return ":".join((self._prefix, *context))

    # --- reading ---------------------------------------------------------------------------------------------

    async def slice_of(
        self, board: Board, scope: str, *, me: str | None, start: int, around: int | None, limit: int, now: float
    ) -> BoardSlice | None:
        """`limit` persons from position `start`, or from `around` positions above `me`; None if not held here."""
        found = await self._read_script(
            keys=[self._writer, self._ready, self._asked, self._key("board", str(board), scope)],
            args=[str(board), now, me or "", start, -1 if around is None else around, limit],
        )
        if found is None:
            return None
        position, first_rank, my_points, my_rank, flat = found
        scores = [(id, int(float(score))) for id, score in zip(flat[::2], flat[1::2], strict=True)]
        return BoardSlice(position, first_rank, scores, int(float(my_points)), my_rank)

    async def groups(self, board: Board, group: Group, *, now: float) -> list[tuple[str, int, int]] | None:
        """Name, points and heads of each team or country; None if not held here."""
        found: dict[str, tuple[str, int, int]] = {}
        for start in count(0, GROUPS_AT_ONCE):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(self._asked, {str(board): now})
                pipe.exists(self._writer)
                pipe.sismember(self._ready, str(board))
                end = start + GROUPS_AT_ONCE - 1
                pipe.zrange(self._key("board", str(board), group), start, end, withscores=True)
                _, kept, ready, points = await pipe.execute()
            if not kept or not ready:
                return None
            if points:
                names = [name for name, _ in points]
                heads = await cast(Any, self._redis.hmget(self._key("heads", board.program_id, group), names))
                for (name, score), number in zip(points, heads, strict=True):
                    found[name] = (name, int(score), int(number or 0))
            if len(points) < GROUPS_AT_ONCE:
                break
        return list(found.values())

    # --- keeping ---------------------------------------------------------------------------------------------

    async def claim(self, writer: str) -> None:
        """Become the writer; what another kept is trusted no more."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(self._writer, writer, px=TRUSTED_MS)
            pipe.delete(self._ready)
            await pipe.execute()

    async def invalidate(self) -> None:
        """Have the keeper make everything anew."""
        await self._redis.delete(self._writer, self._ready)

    async def renew(self, writer: str, *, now: float) -> set[Board]:
        """Say that the writer is there; returns the boards that are asked for. Raises Superseded."""
        found = await self._renew_script(
            keys=[self._writer, self._asked], args=[writer, TRUSTED_MS, now - KEPT_SECONDS, MAX_BOARDS]
        )
        if found is None:
            raise Superseded
        return {Board.parse(text) for text in found}

    async def clear(self, program_id: str) -> None:
        """Drop a programme's roster, before its first board is made."""
        await self._redis.delete(
            self._key("roster", program_id), *(self._key("heads", program_id, group) for group in GROUPS)
        )

    async def drop(self, board: Board) -> None:
        """Drop a board."""
        scopes = ("individual", "leaders", *GROUPS)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.srem(self._ready, str(board))
            pipe.delete(*(self._key("board", str(board), scope) for scope in scopes))
            await pipe.execute()

    async def open(self, writer: str, board: Board) -> None:
        """Let a complete board be read. Raises Superseded."""
        async with self._redis.pipeline(transaction=True) as pipe:
            await self._watch(pipe, writer)
            _begin(pipe)
            pipe.sadd(self._ready, str(board))
            await self._commit(pipe)

    async def put(
        self,
        writer: str,
        program_id: str,
        ids: Sequence[str],
        members: Mapping[str, Member],
        points: Mapping[str, Mapping[str, int]],
    ) -> None:
        """Set where these persons stand, in one step: `members` are those of them who may be ranked, `points` are
        by period, for each board that is kept, and person. Raises Superseded."""
        roster = self._key("roster", program_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            await self._watch(pipe, writer)
            known = await cast(Any, pipe.hmget(roster, list(ids)))
            before = {id: Member(*orjson.loads(text)) for id, text in zip(ids, known, strict=True) if text}
            scores = {
                period: await cast(
                    Any, pipe.zmscore(self._key("board", f"{program_id}|{period}", "individual"), list(ids))
                )
                for period in points
            }
            _begin(pipe)
            self._put_roster(pipe, program_id, ids, before, members)
            for period, now in points.items():
                was = {id: int(score or 0) for id, score in zip(ids, scores[period], strict=True)}
                self._put_board(pipe, Board(program_id, period), before, members, was, now)
            await self._commit(pipe)

    def _put_roster(
        self,
        pipe: Any,
        program_id: str,
        ids: Sequence[str],
        before: Mapping[str, Member],
        members: Mapping[str, Member],
    ) -> None:
        roster = self._key("roster", program_id)
        gone = [id for id in ids if id not in members]
        if gone:
            pipe.hdel(roster, *gone)
        if members:
            pipe.hset(roster, mapping={id: orjson.dumps(astuple(member)) for id, member in members.items()})
        for group in GROUPS:
            heads: dict[str, int] = defaultdict(int)
            for member in before.values():
                heads[getattr(member, group)] -= 1
            for member in members.values():
                heads[getattr(member, group)] += 1
            for name, change in heads.items():
                if change:
                    pipe.hincrby(self._key("heads", program_id, group), name, change)

    def _put_board(
        self,
        pipe: Any,
        board: Board,
        before: Mapping[str, Member],
        members: Mapping[str, Member],
        was: Mapping[str, int],
        now: Mapping[str, int],
    ) -> None:
        ranked = {id: now[id] for id in members if now.get(id, 0) > 0}
        leading = {id: points for id, points in ranked.items() if members[id].leader}
        for scope, scores in (("individual", ranked), ("leaders", leading)):
            key = self._key("board", str(board), scope)
            gone = [id for id in was if id not in scores]
            if gone:
                pipe.zrem(key, *gone)
            if scores:
                pipe.zadd(key, scores)
        for group in GROUPS:
            changes: dict[str, int] = defaultdict(int)
            for id, member in before.items():
                changes[getattr(member, group)] -= was[id]
            for id, points in ranked.items():
                changes[getattr(members[id], group)] += points
            for name, change in changes.items():
                if change:
                    pipe.zincrby(self._key("board", str(board), group), change, name)

    async def _watch(self, pipe: Any, writer: str) -> None:
        await pipe.watch(self._writer)
        if await pipe.get(self._writer) != writer:
            raise Superseded

    async def _commit(self, pipe: Any) -> None:
        try:
            await pipe.execute()
        except WatchError:
            raise Superseded from None


def _begin(pipe: Any) -> None:
    """From here on, commands are queued and done together."""
    pipe.multi()
