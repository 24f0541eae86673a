"""Who knows nothing of Herald reads its topics: the snippets of `contracts/README.md`, as they are printed."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from herald.contracts.examples import load_examples
from herald.operations.topics import CONTRACTS, apply_topics, load_topics
from tests.infra import Infra

POSTS = [example for example in load_examples() if example.type == "herald.PostShared.v1"]
SNIPPETS = re.findall(r"```python\n(.*?)```", (CONTRACTS / "README.md").read_text(), re.DOTALL)


@pytest.fixture
async def posts(infra: Infra, namespace: str) -> str:
    """A topic with the examples of posts, and among them what a subscriber does not know."""
    topics = [topic for topic in load_topics() if topic.name == "herald.posts"]
    await apply_topics(infra.kafka_bootstrap, namespace, topics=topics)
    name = f"{namespace}.herald.posts"
    async with AIOKafkaProducer(bootstrap_servers=infra.kafka_bootstrap) as producer:
        for example in POSTS:
            await producer.send_and_wait(
                name, example.value, key=example.key.encode(), headers=example.wire_headers, partition=0
            )
    return name


async def lines(snippet: str, infra: Infra, topic: str, count: int, folder: Path) -> list[str]:
    """The first lines that a snippet prints when it runs against the test's Kafka and topic."""
    assert '"localhost:9092"' in snippet
    assert '"herald.posts"' in snippet
    program = snippet.replace("localhost:9092", infra.kafka_bootstrap).replace('"herald.posts"', f'"{topic}"')
    file = folder / "subscriber.py"
    file.write_text(program.replace("-system", f"-system-{topic}"))
    run = await asyncio.create_subprocess_exec(
        sys.executable, file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert run.stdout is not None
    try:
        async with asyncio.timeout(60):
            return [(await run.stdout.readline()).decode().strip() for _ in range(count)]
    finally:
        if run.returncode is None:
            run.kill()
        await run.communicate()


async def test_a_subscriber_in_ten_lines(infra: Infra, posts: str, tmp_path: Path) -> None:
    async with AIOKafkaProducer(bootstrap_servers=infra.kafka_bootstrap) as producer:
        newer = [("ce_type", b"herald.PostShared.v2"), *POSTS[0].wire_headers[3:], *POSTS[0].wire_headers[:2]]
        await producer.send_and_wait(posts, POSTS[0].value, headers=newer, partition=0)
    found = await lines(SNIPPETS[0], infra, posts, len(POSTS) + 1, tmp_path)
    assert found[:-1] == [
        f"{post.headers['ce_id']} {post.data['ambassador_id']} {post.data['network']}" for post in POSTS
    ]
    assert found[-1] == "left out: version-unknown"
    body = SNIPPETS[0].partition("async def main():\n")[2].partition("\n\n\nasyncio.run")[0]
    assert len(body.splitlines()) <= 10


async def test_any_cloudevents_client(infra: Infra, posts: str, tmp_path: Path) -> None:
    assert "herald" not in SNIPPETS[1].replace('"herald.posts"', "")
    found = await lines(SNIPPETS[1], infra, posts, len(POSTS), tmp_path)
    assert found == [f"{post.headers['ce_id']} herald.PostShared.v1 {post.data['network']}" for post in POSTS]
