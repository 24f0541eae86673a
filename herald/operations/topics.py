"""The topics of an installation: read from `contracts/topics`, compared with a Kafka cluster, created there.

Nothing here deletes data: partitions, retention and record size are only raised, and a topic that services are rebuilt
from is never made a compacted one. A change that would lose data is reported as kept, for an operator to make by hand.
Partitions are added only when asked for, because keys then move.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code
from pydantic import BaseModel, ConfigDict, Field

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
TOPICS = CONTRACTS / "topics"

DAY_MS = 86_400_000
DYNAMIC_TOPIC_CONFIG = 1
ALREADY_EXISTS = 36
DEADLINE = 30.0

Action = Literal["create", "change", "grow", "keep"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Subscription(_Strict):
    """A known consumer: its group (without a namespace), what it reads, and where its failures go."""

    group: str
    dead_letters: str | None
    events: list[str]


class Topic(_Strict):
    """One file of `contracts/topics`.

    `key` is the field of every event of the topic whose value is the record's key; `original` on dead-letter
    topics, whose records keep the key they came with.
    """

    name: str
    owner: str
    description: str
    key: str
    partitions: int = Field(ge=1)
    retention_days: int | Literal["unlimited"]
    cleanup: Literal["delete", "compact"]
    max_message_bytes: int = Field(ge=1024)
    events: list[str]
    consumers: list[Subscription]

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings of this topic."""
        days = self.retention_days
        return {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
            "retention.bytes": "-1",
            "retention.ms": "-1" if days == "unlimited" else str(days * DAY_MS),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the files and a cluster; `actual` is None where the topic does not exist.

    `keep` marks a change that is not made: it would lose data, or add partitions although that was not asked for.
    """

    topic: str
    setting: str
    actual: str | None
    wanted: str
    action: Action


def load_topics(folder: Path = TOPICS) -> list[Topic]:
    """Every topic file, by name. Raises ValueError naming the file that is malformed."""
    return [_load(path) for path in sorted(folder.glob("*.yaml"))]


def _load(path: Path) -> Topic:
    try:
        return Topic.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def topic_name(name: str, namespace: str = "") -> str:
    """The name on the cluster: prefixed with the installation's namespace if there is one."""
    return f"{namespace}.{name}" if namespace else name


async def plan_topics(
    bootstrap: str | list[str],
    namespace: str = "",
    *,
    topics: Sequence[Topic] | None = None,
    grow: bool = False,
    **security: Any,
) -> list[Change]:
    """What `apply_topics` would do, and what it would keep. `security` goes to aiokafka's client."""
    async with _Cluster(bootstrap, namespace, security) as cluster:
        return await cluster.compare(load_topics() if topics is None else topics, grow)


async def apply_topics(
    bootstrap: str | list[str],
    namespace: str = "",
    *,
    topics: Sequence[Topic] | None = None,
    grow: bool = False,
    **security: Any,
) -> list[Change]:
    """Create and change topics until they are as the files say; returns what was done and what was kept.

    May run in several processes at once. When it returns, new topics have leaders and can be written to.
    Raises aiokafka's errors, and TimeoutError after 30 s without a leader.
    """
    wanted = load_topics() if topics is None else topics
    async with _Cluster(bootstrap, namespace, security) as cluster:
        changes = await cluster.compare(wanted, grow)
        await cluster.create([topic for topic in wanted if _has(changes, topic, "create")])
        await cluster.grow([topic for topic in wanted if _has(changes, topic, "grow")])
        await cluster.configure([topic for topic in wanted if _has(changes, topic, "change")], changes)
        await cluster.writable([topic for topic in wanted if _has(changes, topic, "create", "grow")])
    return changes


def _has(changes: Iterable[Change], topic: Topic, *actions: Action) -> bool:
    return any(change.topic == topic.name and change.action in actions for change in changes)


def differences(topic: Topic, partitions: int, config: Mapping[str, str], *, grow: bool) -> list[Change]:
    """How an existing topic differs from its file."""
    changes = []
    if partitions != topic.partitions:
        action: Action = "grow" if grow and partitions < topic.partitions else "keep"
        changes.append(Change(topic.name, "partitions", str(partitions), str(topic.partitions), action))
    for setting, wanted in topic.config.items():
        actual = config.get(setting, "")
        if actual != wanted:
            action = "keep" if _would_delete_records(setting, actual, wanted) else "change"
            changes.append(Change(topic.name, setting, actual, wanted, action))
    return changes


def _would_delete_records(setting: str, actual: str, wanted: str) -> bool:
    if setting == "cleanup.policy":
        return "compact" in wanted
    if wanted == "-1":
        return False
    return actual == "-1" or int(wanted) < int(actual)


class _Cluster:
    """Kafka's administration, for the few things that topics need."""

    def __init__(self, bootstrap: str | list[str], namespace: str, security: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="herald-topics", **security)

    async def __aenter__(self) -> _Cluster:
        try:
            await self._admin.start()
        except BaseException:
            await self._admin.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    def _name(self, topic: Topic) -> str:
        return topic_name(topic.name, self._namespace)

    async def _partitions(self) -> dict[str, list[dict[str, Any]]]:
        return {found["topic"]: found["partitions"] for found in await self._admin.describe_topics()}

    async def _configs(self, topics: Sequence[Topic]) -> dict[str, list[tuple[str, str, int]]]:
        """Each topic's settings by name on the cluster: (setting, value, where the value comes from)."""
        if not topics:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, self._name(topic)) for topic in topics]
        found = {}
        for response in await self._admin.describe_configs(asked):
            for resource in response.to_object()["resources"]:
                _raise_for(resource["error_code"], resource["error_message"])
                found[resource["resource_name"]] = [
                    (entry["config_names"], entry["config_value"], entry["config_source"])
                    for entry in resource["config_entries"]
                ]
        return found

    async def compare(self, topics: Sequence[Topic], grow: bool) -> list[Change]:
        existing = await self._partitions()
        configs = await self._configs([topic for topic in topics if self._name(topic) in existing])
        changes: list[Change] = []
        for topic in topics:
            name = self._name(topic)
            if name in existing:
                config = {setting: value for setting, value, _ in configs[name]}
                changes += differences(topic, len(existing[name]), config, grow=grow)
            else:
                changes.append(Change(topic.name, "partitions", None, str(topic.partitions), "create"))
                changes += [Change(topic.name, key, None, value, "create") for key, value in topic.config.items()]
        return changes

    async def create(self, topics: Sequence[Topic]) -> None:
        """Create with the cluster's own replication factor; one that appeared meanwhile is left alone."""
        if not topics:
            return
        response = await self._admin.create_topics(
            [NewTopic(self._name(topic), topic.partitions, -1, {}, topic.config) for topic in topics]
        )
        for _, code, message in response.topic_errors:
            if code != ALREADY_EXISTS:
                _raise_for(code, message)

    async def grow(self, topics: Sequence[Topic]) -> None:
        if topics:
            await self._admin.create_partitions(
                {self._name(topic): NewPartitions(topic.partitions) for topic in topics}
            )

    async def configure(self, topics: Sequence[Topic], changes: Iterable[Change]) -> None:
        """Set what changes. Kafka's request replaces all of a topic's own settings, so they go along."""
        resources = []
        for topic in topics:
            name = self._name(topic)
            own = {
                setting: value
                for setting, value, source in (await self._configs([topic]))[name]
                if source == DYNAMIC_TOPIC_CONFIG
            }
            wanted = {c.setting: c.wanted for c in changes if c.topic == topic.name and c.action == "change"}
            resources.append(ConfigResource(ConfigResourceType.TOPIC, name, own | wanted))
        if not resources:
            return
        for response in await self._admin.alter_configs(resources):
            for code, message, *_ in response.resources:
                _raise_for(code, message)

    async def writable(self, topics: Sequence[Topic]) -> None:
        """Wait until every partition has a leader."""
        async with asyncio.timeout(DEADLINE):
            while True:
                existing = await self._partitions()
                leaders = {name: sum(p["leader"] >= 0 for p in found) for name, found in existing.items()}
                if all(leaders.get(self._name(topic), 0) >= topic.partitions for topic in topics):
                    return
                await asyncio.sleep(0.05)


def _raise_for(code: int, message: str | None) -> None:
    if code:
        raise for_code(code)(message or "")
