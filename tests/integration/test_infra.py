"""The servers of a test run: once a run, shared by its workers, gone with it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from tests.infra import Infra
from tests.processes import eventually, left_of

ROOT = Path(__file__).resolve().parents[2]

INNER = """
import json, os
from pathlib import Path
import pytest

@pytest.mark.parametrize("n", range(4))
def test_notes_what_it_got(infra, n):
    Path(os.environ["NOTES"], f"{n}.json").write_text(json.dumps([infra.kafka_bootstrap, os.getpid()]))
    if n == int(os.environ.get("HANG", "-1")):
        import time; time.sleep(300)
"""


async def test_kafka_keeps_what_is_acknowledged(infra: Infra, namespace: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{namespace}.a", num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=infra.kafka_bootstrap, enable_idempotence=True, acks="all"
    ) as producer:
        first = await producer.send_and_wait(f"{namespace}.a", b"1", partition=0)
        second = await producer.send_and_wait(f"{namespace}.a", b"2", partition=0)
    assert (first.offset, second.offset) == (0, 1)


async def test_mongod_has_transactions(infra: Infra, namespace: str) -> None:
    async with AsyncMongoClient[dict[str, object]](infra.mongo_url) as client:
        things = client[namespace]["things"]
        async with client.start_session() as session:
            async with await session.start_transaction():
                await things.insert_one({"_id": 1}, session=session)
            await session.start_transaction()
            await things.insert_one({"_id": 2}, session=session)
            await session.abort_transaction()
        assert [found["_id"] async for found in things.find()] == [1]
        await client.drop_database(namespace)


async def test_redis_answers(infra: Infra, namespace: str) -> None:
    client = Redis.from_url(infra.redis_url)
    assert await client.set(namespace, "1", ex=60)
    assert await client.get(namespace) == b"1"
    await client.aclose()


@pytest.fixture
def inner_run(tmp_path: Path) -> Path:
    """A folder in which a pytest run of its own, with Herald's conftest, starts servers of its own."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *  # noqa: F403\n")
    (tmp_path / "test_inner.py").write_text(INNER)
    settings = ["[pytest]", f"pythonpath = {ROOT}", "asyncio_default_fixture_loop_scope = function"]
    (tmp_path / "pytest.ini").write_text("\n".join(settings))
    (tmp_path / "notes").mkdir()
    return tmp_path


def start_inner(folder: Path, **extra: str) -> subprocess.Popen[bytes]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("HERALD_", "PYTEST_"))}
    env |= {"NOTES": str(folder / "notes"), "HERALD_TEST_INFRA": "packages", "TMPDIR": str(folder), **extra}
    argv = [sys.executable, "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider", str(folder)]
    return subprocess.Popen(argv, cwd=folder, env=env, start_new_session=True)


def notes(folder: Path) -> list[tuple[str, int]]:
    return [tuple(json.loads(note.read_text())) for note in (folder / "notes").glob("*.json")]


def test_workers_share_one_set_that_ends_with_a_killed_run(inner_run: Path) -> None:
    run = start_inner(inner_run, HANG="3")
    assert eventually(lambda: len(notes(inner_run)) == 4, seconds=100)
    got = notes(inner_run)
    assert len({address for address, _ in got}) == 1
    assert len({pid for _, pid in got}) == 2
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert left_of(inner_run) == {}
