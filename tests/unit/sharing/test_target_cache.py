"""A link that many follow at once is looked for once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect

from services.sharing.redirect import target_cache
from services.sharing.redirect.target_cache import TargetCache

TARGET = "https://example.com/article"


class Posts:
    """Links in a database that answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def target(self, code: str) -> str | None:
        self.asked.append(code)
        return await asyncio.shield(self.answers)


class Redis:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        assert ex > 0
        self.kept[key] = value


class Settings:
    def redis_key(self, *parts: str) -> str:
        return ":".join(parts)


def cache(posts: Posts) -> TargetCache:
    return TargetCache(cast("Any", posts), cast("Any", Redis()), cast("Any", Settings()))


async def test_it_is_looked_for_once() -> None:
    posts = Posts()
    links = cache(posts)
    visitors = [asyncio.ensure_future(links.find("abcd1234")) for _ in range(100)]
    await asyncio.sleep(0)
    visitors[0].cancel()
    posts.answers.set_result(TARGET)
    found = await asyncio.gather(*visitors[1:])
    assert posts.asked == ["abcd1234"]
    assert {id(link) for link in found} == {id(links.get("abcd1234"))}
    assert found[0] is not None
    assert (b"location", TARGET.encode()) in found[0].found["headers"]


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    posts = Posts()
    links = cache(posts)
    visitors = [asyncio.ensure_future(links.find("abcd1234")) for _ in range(3)]
    await asyncio.sleep(0)
    posts.answers.set_exception(AutoReconnect("away"))
    failed = await asyncio.gather(*visitors, return_exceptions=True)
    assert all(isinstance(one, AutoReconnect) for one in failed)
    posts.answers = asyncio.get_running_loop().create_future()
    posts.answers.set_result(None)
    assert await links.find("abcd1234") is None
    assert len(posts.asked) == 2


async def test_a_code_that_is_none_is_looked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = Posts()
    posts.answers.set_result(None)
    links, now = cache(posts), [1000.0]
    monkeypatch.setattr(target_cache, "time", SimpleNamespace(monotonic=lambda: now[0]))
    assert [await links.find("nothing1") for _ in range(3)] == [None] * 3
    assert posts.asked == ["nothing1"]
    now[0] += target_cache.UNKNOWN_SECONDS
    posts.answers = asyncio.get_running_loop().create_future()
    posts.answers.set_result(TARGET)
    assert await links.find("nothing1") is not None
    assert posts.asked == ["nothing1"] * 2


async def test_of_codes_that_are_none_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_cache, "UNKNOWN_REMEMBERED", 3)
    posts = Posts()
    posts.answers.set_result(None)
    links = cache(posts)
    for code in ("one1", "two2", "three3", "four4", "one1", "four4"):
        assert await links.find(code) is None
    assert posts.asked == ["one1", "two2", "three3", "four4", "one1"]
