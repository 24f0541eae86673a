"""Feeds, fetched through the guarded client and parsed in a separate process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from pydantic import TypeAdapter

from chassis.fetch import MEBIBYTE, FetchRefused, GuardedFetch
from chassis.offload import Offload, TooMuchWork
from services.content.domain.sources import Reading, Source
from services.content.feeds.reader import read_feed

logger = logging.getLogger(__name__)
MAX_BYTES: Final = 5 * MEBIBYTE
MEDIA_TYPES: Final = (
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/xml",
    "text/xml",
    "application/json",
)
ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.5, */*;q=0.1"
)
SECONDS: Final = 20.0
CPU_SECONDS: Final = 3
MEMORY: Final = 1024 * MEBIBYTE
AT_ONCE: Final = 2
MAX_VALIDATOR: Final = 512
_READING: Final = TypeAdapter(Reading)


class FeedRefused(Exception):
    """It could not be fetched or is not a feed. `rule` is one of the guarded client's or the reader's, or
    ``too-complex``. `retry_after` is the server's header of that name.
    """

    def __init__(
        self, rule: str, detail: str, *, params: Mapping[str, Any] | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.params = dict(params or {})
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FetchedFeed:
    """The answer of a feed's address; `reading` is None if nothing changed since the last time."""

    reading: Reading | None
    etag: str | None = None
    last_modified: str | None = None


class Feeds:
    """Fetches and parses feeds, a few at once."""

    def __init__(self, fetch: GuardedFetch) -> None:
        self._fetch = fetch
        self._offload = Offload(at_once=AT_ONCE, cpu_seconds=CPU_SECONDS, seconds=SECONDS, memory=MEMORY, patience=None)

    async def look(self, source: Source) -> FetchedFeed:
        """What has changed at the source's address since it was last read. Raises FeedRefused."""
        return await self.get(source.url or "", etag=source.etag, last_modified=source.last_modified)

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> FetchedFeed:
        """The feed at an address. Raises FeedRefused."""
        try:
            got = await self._fetch.get(url, etag=etag, last_modified=last_modified, accept=ACCEPT, max_bytes=MAX_BYTES)
        except FetchRefused as refusal:
            raise FeedRefused(
                refusal.rule, refusal.detail, params=refusal.params, retry_after=refusal.retry_after
            ) from refusal
        if got.unchanged:
            return FetchedFeed(None, etag, last_modified)
        reading = await self.read(got.body, got.headers.get("content-type", ""), got.url)
        return FetchedFeed(reading, _kept(got.headers.get("etag")), _kept(got.headers.get("last-modified")))

    async def read(self, body: bytes, content_type: str = "", base_url: str = "") -> Reading:
        """A feed from its bytes. Raises FeedRefused, and nothing else: whatever a feed makes its reader raise is the
        feed's failure."""
        try:
            return await self._read(body, content_type, base_url)
        except FeedRefused:
            raise
        except Exception as error:
            logger.exception("a feed failed in a way that it should not")
            raise FeedRefused("failed", f"It could not be read ({type(error).__name__}).") from error

    async def _read(self, body: bytes, content_type: str, base_url: str) -> Reading:
        said = {"charset": charset(content_type), "base_url": base_url}
        try:
            async with self._offload.stream(read_feed, body, **said) as found:
                answer = await anext(found)
        except TooMuchWork:
            raise FeedRefused("too-complex", "Reading this feed takes too much time or memory.") from None
        if "rule" in answer:
            raise FeedRefused(answer["rule"], answer["detail"], params=answer["params"])
        return _READING.validate_python(answer)


def _kept(validator: str | None) -> str | None:
    """What a server said to be asked with next time; nothing that is too long to be one."""
    return validator if validator and len(validator) <= MAX_VALIDATOR else None


def charset(content_type: str) -> str:
    """The charset parameter of a media type, or nothing."""
    message = Message()
    message["content-type"] = content_type
    found = message.get_content_charset("")
    return found if found.isascii() and found.isprintable() else ""
