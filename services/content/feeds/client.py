"""Feeds, fetched through the guarded client and parsed in a separate process."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from email.message import Message
from typing import Final

import orjson
from pydantic import TypeAdapter

from chassis.fetch import MEBIBYTE, FetchRefused, GuardedFetch
from services.content.domain.sources import Reading, Source

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
AT_ONCE: Final = 2
_INHERITED: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
_READING: Final = TypeAdapter(Reading)


class FeedRefused(Exception):
    """It could not be fetched or is not a feed. `rule` is one of the guarded client's or the reader's, or
    ``too-complex``. `retry_after` is the server's header of that name.
    """

    def __init__(self, rule: str, detail: str, *, retry_after: str | None = None) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
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
        self._places = asyncio.Semaphore(AT_ONCE)

    async def look(self, source: Source) -> FetchedFeed:
        """What has changed at the source's address since it was last read. Raises FeedRefused."""
        return await self.get(source.url or "", etag=source.etag, last_modified=source.last_modified)

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> FetchedFeed:
        """The feed at an address. Raises FeedRefused."""
        try:
            got = await self._fetch.get(url, etag=etag, last_modified=last_modified, accept=ACCEPT, max_bytes=MAX_BYTES)
        except FetchRefused as refusal:
            raise FeedRefused(refusal.rule, refusal.detail, retry_after=refusal.retry_after) from refusal
        if got.unchanged:
            return FetchedFeed(None, etag, last_modified)
        reading = await self.read(got.body, got.headers.get("content-type", ""), got.url)
        return FetchedFeed(reading, got.headers.get("etag"), got.headers.get("last-modified"))

    async def read(self, body: bytes, content_type: str = "", base_url: str = "") -> Reading:
        """A feed from its bytes. Raises FeedRefused."""
        async with self._places:
            answer = await _in_a_process(body, charset(content_type), base_url)
        if "rule" in answer:
            raise FeedRefused(answer["rule"], answer["detail"])
        return _READING.validate_python(answer)


def charset(content_type: str) -> str:
    """The charset parameter of a media type, or nothing."""
    message = Message()
    message["content-type"] = content_type
    found = message.get_content_charset("")
    return found if found.isascii() and found.isprintable() else ""


async def _in_a_process(body: bytes, charset: str, base_url: str) -> dict[str, str]:
    """The reader's answer. The process gets no secrets, and is killed if it takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.content.feeds.reader", charset, base_url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate(body)
    except TimeoutError:
        output = b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise FeedRefused("too-complex", "Reading this feed takes too much time or memory.")
    answer: dict[str, str] = orjson.loads(output)
    return answer
