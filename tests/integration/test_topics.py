"""Topics on a real Kafka: created as the files say, compared, changed, and never made smaller."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner, Result

from herald.cli.app import app
from herald.operations.topics import Change, Topic, apply_topics, load_topics, plan_topics
from tests.infra import Infra


@pytest.fixture
async def admin(infra: Infra, namespace: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Takes the namespace's topics away afterwards."""
    client = AIOKafkaAdminClient(bootstrap_servers=infra.kafka_bootstrap)
    await client.start()
    try:
        yield client
        await client.delete_topics([name for name in await client.list_topics() if name.startswith(f"{namespace}.")])
    finally:
        await client.close()


def small(**changed: object) -> Topic:
    """The topic of posts with some settings replaced."""
    (posts,) = [topic for topic in load_topics() if topic.name == "herald.posts"]
    return posts.model_copy(update=changed)


async def settled(infra: Infra, namespace: str, topics: Sequence[Topic]) -> list[Change]:
    """What is left to change: brokers learn of a change a moment after it was accepted."""
    async with asyncio.timeout(60):
        changes = await plan_topics(infra.kafka_bootstrap, namespace, topics=topics)
        while any(change.action != "keep" for change in changes):
            changes = await plan_topics(infra.kafka_bootstrap, namespace, topics=topics)
    return changes


async def test_every_topic_is_created_as_its_file_says(
    infra: Infra, namespace: str, admin: AIOKafkaAdminClient
) -> None:
    planned = await plan_topics(infra.kafka_bootstrap, namespace)
    assert {change.action for change in planned} == {"create"}
    assert await apply_topics(infra.kafka_bootstrap, namespace) == planned
    assert await plan_topics(infra.kafka_bootstrap, namespace) == []
    assert await apply_topics(infra.kafka_bootstrap, namespace) == []
    found = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    assert {f"{namespace}.{topic.name}": topic.partitions for topic in load_topics()} == {
        name: len(partitions) for name, partitions in found.items() if name.startswith(f"{namespace}.")
    }


async def test_several_processes_may_apply_at_once(infra: Infra, namespace: str, admin: AIOKafkaAdminClient) -> None:
    await asyncio.gather(*(apply_topics(infra.kafka_bootstrap, namespace) for _ in range(3)))
    assert await plan_topics(infra.kafka_bootstrap, namespace) == []


async def test_settings_are_raised_and_others_left_alone(
    infra: Infra, namespace: str, admin: AIOKafkaAdminClient
) -> None:
    own = {"retention.ms": "1000", "max.message.bytes": "2048", "retention.bytes": "4096", "segment.ms": "777000"}
    name = f"{namespace}.herald.posts"
    await admin.create_topics([NewTopic(name, 6, 1, topic_configs=own)])
    async with asyncio.timeout(60):
        while name not in await admin.list_topics():
            pass
    changes = await apply_topics(infra.kafka_bootstrap, namespace, topics=[small()])
    assert {(change.setting, change.actual, change.wanted, change.action) for change in changes} == {
        ("retention.ms", "1000", "-1", "change"),
        ("retention.bytes", "4096", "-1", "change"),
        ("max.message.bytes", "2048", "1048576", "change"),
    }
    assert await settled(infra, namespace, [small()]) == []
    (described,) = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, configs={"segment.ms": ""})]
    )
    assert described.resources[0][-1][0][1] == "777000"


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        ({"partitions": 3}, "partitions"),
        ({"retention_days": 7}, "retention.ms"),
        ({"max_message_bytes": 4096}, "max.message.bytes"),
        ({"cleanup": "compact"}, "cleanup.policy"),
    ],
)
async def test_nothing_is_taken_away(
    infra: Infra, namespace: str, admin: AIOKafkaAdminClient, wanted: dict[str, object], setting: str
) -> None:
    await apply_topics(infra.kafka_bootstrap, namespace, topics=[small()])
    (change,) = await apply_topics(infra.kafka_bootstrap, namespace, topics=[small(**wanted)], grow=True)
    assert (change.setting, change.action) == (setting, "keep")
    assert await plan_topics(infra.kafka_bootstrap, namespace, topics=[small()]) == []


async def test_partitions_are_added_only_when_asked(infra: Infra, namespace: str, admin: AIOKafkaAdminClient) -> None:
    await apply_topics(infra.kafka_bootstrap, namespace, topics=[small(partitions=2)])
    (kept,) = await apply_topics(infra.kafka_bootstrap, namespace, topics=[small()])
    assert (kept.actual, kept.wanted, kept.action) == ("2", "6", "keep")
    (grown,) = await apply_topics(infra.kafka_bootstrap, namespace, topics=[small()], grow=True)
    assert grown.action == "grow"
    assert await plan_topics(infra.kafka_bootstrap, namespace, topics=[small()]) == []


async def test_the_command_shows_and_tells_by_its_exit_code(
    infra: Infra, namespace: str, admin: AIOKafkaAdminClient
) -> None:
    async def command(name: str) -> Result:
        arguments = ["topics", name, "--bootstrap", infra.kafka_bootstrap, "--namespace", namespace]
        return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, app, arguments)

    planned = await command("plan")
    assert planned.exit_code == 2
    assert f"{namespace}.herald.clicks" in planned.output
    assert (await command("apply")).exit_code == 0
    after = await command("plan")
    assert (after.exit_code, after.output.strip()) == (0, "The topics are as contracts/topics says.")


async def test_a_kafka_that_does_not_answer_is_one_sentence(namespace: str) -> None:
    def command() -> Result:
        return CliRunner().invoke(app, ["topics", "plan", "--bootstrap", "127.0.0.1:1"])

    result = await asyncio.to_thread(command)
    assert result.exit_code == 1
    assert "Kafka at 127.0.0.1:1" in result.output
    assert "Traceback" not in result.output
