"""What a service may do on Kafka, beside what its topic files say."""

from __future__ import annotations

import pytest

from herald.operations.rights import READ, WRITE, compare
from herald.operations.topics import load_topics

TOPICS = [one for one in load_topics() if one.name in ("herald.posts", "herald.clicks", "herald.deadletters.sharing")]
ALL = READ | WRITE


@pytest.mark.parametrize(
    ("service", "allowed", "missing"),
    [
        ("sharing", {}, []),
        ("sharing", {"herald.posts": READ}, ["may not write herald.posts"]),
        ("sharing", {"herald.clicks": WRITE}, ["may not read herald.clicks"]),
        ("sharing", {"herald.clicks": 0}, ["may not write herald.clicks", "may not read herald.clicks"]),
        ("sharing", {"herald.deadletters.sharing": WRITE}, ["may not read herald.deadletters.sharing"]),
        ("sharing", {"herald.posts": None}, []),
        ("metrics", {"herald.posts": READ, "herald.clicks": 0, "herald.deadletters.sharing": 0}, []),
        ("metrics", {"herald.posts": WRITE}, ["may not read herald.posts"]),
    ],
)
def test_each_right_that_is_missing_is_named(service: str, allowed: dict[str, int | None], missing: list[str]) -> None:
    bits = {topic.name: ALL for topic in TOPICS} | allowed
    assert [one.partition(":")[0] for one in compare(TOPICS, service, bits)] == missing
