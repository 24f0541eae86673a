"""Whether the user of a service may do on Kafka what the topic files say: asked of the broker, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from chassis.settings import KafkaSettings
from herald.operations.topics import Topic, load_topics

READ, WRITE = 1 << 3, 1 << 4
"""Bits of Kafka's AclOperation codes."""


class _MetadataResponse(Response):  # type: ignore[misc]
    """The first version without what is flexible that tells operations; aiokafka's own end before it."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        return request_struct_class(list(self._topics), False, False, True)


async def missing_rights(settings: KafkaSettings, service: str, topics: Sequence[Topic] | None = None) -> list[str]:
    """A sentence for each right that the user of `settings` lacks to be `service`. Topics that are not there yet are
    passed over. Raises KafkaError, TimeoutError, OSError."""
    wanted = load_topics() if topics is None else topics
    own = [topic for topic in wanted if topic.owner == service or _reads(topic, service)]
    if not own:
        return []
    admin = AIOKafkaAdminClient(client_id="herald-rights", **settings.kafka_options())
    try:
        await admin.start()
        allowed = await _allowed(admin, [settings.topic(topic.name) for topic in own])
        missing = list(compare(own, service, {name.name: allowed.get(settings.topic(name.name)) for name in own}))
        if any(_reads(topic, service) for topic in own):
            missing += await _group(admin, settings.group(service))
    finally:
        await admin.close()
    return [f"Kafka: the user of {service} {one}" for one in missing]


def compare(topics: Sequence[Topic], service: str, allowed: Mapping[str, int | None]) -> Iterator[str]:
    """What is missing, by the operations that are `allowed` on each topic; None where it is not there."""
    for topic in topics:
        bits = allowed[topic.name]
        if bits is None:
            continue
        if topic.owner == service and not bits & WRITE:
            yield f"may not write {topic.name}: give it Write and Describe on that topic"
        if _reads(topic, service) and not bits & READ:
            yield f"may not read {topic.name}: give it Read and Describe on that topic"


def _reads(topic: Topic, service: str) -> bool:
    return topic.name == f"herald.deadletters.{service}" or service in {one.group for one in topic.consumers}


async def _allowed(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int | None]:
    answer: Any = await admin._send_request(_MetadataRequest(names))  # noqa: SLF001
    found: dict[str, int | None] = {}
    for code, name, _, _, operations in answer.topics:
        if code == UnknownTopicOrPartitionError.errno:
            found[name] = None
        else:
            found[name] = 0 if code == TopicAuthorizationFailedError.errno else operations
    return found


async def _group(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    try:
        await admin.find_coordinator(group)
    except GroupAuthorizationFailedError:
        return [f"may not join the group {group}: give it Read and Describe on that group"]
    except GroupCoordinatorNotAvailableError:
        return []  # a new Kafka makes it now; whoever may not ask is told so before
    return []
