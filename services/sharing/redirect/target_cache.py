"""Where short links lead: in this process, else in Redis, else in MongoDB. What a link leads to never changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.sharing.redirect.short_link import ShortLink
from services.sharing.settings import SharingSettings
from services.sharing.store.posts import Posts

logger = logging.getLogger(__name__)
REMEMBERED = 100_000
IN_REDIS_SECONDS = 7 * 86_400
REDIS_REST_SECONDS = 5.0
UNKNOWN_REMEMBERED = 10_000
UNKNOWN_SECONDS = 60.0


class TargetCache:
    """The links most lately followed, and where to look for others."""

    def __init__(self, posts: Posts, redis: Redis, settings: SharingSettings) -> None:
        self._posts = posts
        self._redis = redis
        self._settings = settings
        self._links: OrderedDict[str, ShortLink] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._sought: dict[str, asyncio.Task[ShortLink | None]] = {}
        self._redis_rests_until = 0.0

    def get(self, code: str) -> ShortLink | None:
        """The link, if this process knows it."""
        link = self._links.get(code)
        if link is not None:
            self._links.move_to_end(code)
        return link

    async def find(self, code: str) -> ShortLink | None:
        """The link, if there is one. Raises PyMongoError if it is in no cache and MongoDB is away.

        However many ask for the same link at once, it is looked for once; and of a code that is none, only one request
        a minute reaches Redis and MongoDB.
        """
        if self._unknown.get(code, 0.0) > time.monotonic():
            return None
        sought = self._sought.get(code)
        if sought is None:
            sought = self._sought[code] = asyncio.ensure_future(self._seek(code))
            sought.add_done_callback(lambda _: self._sought.pop(code))
        return await asyncio.shield(sought)

    async def _seek(self, code: str) -> ShortLink | None:
        target = await self._from_redis(code)
        if target is None:
            target = await self._posts.target(code)
            if target is None:
                self._note_unknown(code)
                return None
            await self._to_redis(code, target)
        link = self._links[code] = ShortLink(code, target)
        if len(self._links) > REMEMBERED:
            self._links.popitem(last=False)
        return link

    def _note_unknown(self, code: str) -> None:
        self._unknown[code] = time.monotonic() + UNKNOWN_SECONDS
        self._unknown.move_to_end(code)
        if len(self._unknown) > UNKNOWN_REMEMBERED:
            self._unknown.popitem(last=False)

    async def _from_redis(self, code: str) -> str | None:
        if time.monotonic() < self._redis_rests_until:
            return None
        try:
            target = await self._redis.get(self._key(code))
        except RedisError as error:
            self._rest(error)
            return None
        return None if target is None else str(target)

    async def _to_redis(self, code: str, target: str) -> None:
        if time.monotonic() < self._redis_rests_until:
            return
        try:
            await self._redis.set(self._key(code), target, ex=IN_REDIS_SECONDS)
        except RedisError as error:
            self._rest(error)

    def _rest(self, error: RedisError) -> None:
        """A cache that fails is left alone for a while, so that it costs nobody time."""
        logger.warning("Redis does not answer: %s", type(error).__name__)
        self._redis_rests_until = time.monotonic() + REDIS_REST_SECONDS

    def _key(self, code: str) -> str:
        return self._settings.redis_key("sharing", "link", code)
