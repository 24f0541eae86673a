"""What identifies the log behind a topic's name, and where its partitions begin and end.

A topic that is deleted and created again has the same name and another identity: its offsets start at 0 again, and
what was remembered of the old ones means nothing. Kafka tells the identity in metadata from version 10 on, which
aiokafka does not speak; the request is described here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

Text = CompactString("utf-8")


class _Uuid:
    @classmethod
    def decode(cls, data: BytesIO) -> str:
        return str(uuid.UUID(bytes=data.read(16)))

    @classmethod
    def encode(cls, value: str) -> bytes:
        return uuid.UUID(value).bytes


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("id", Int32), ("host", Text), ("port", Int32), ("rack", Text), ("_", TaggedFields))),
        ("cluster_id", Text),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", Text),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("in_sync", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("_", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("_", TaggedFields),
            ),
        ),
        ("_", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", Text), ("_", TaggedFields))),
        ("create", Boolean),
        ("operations", Boolean),
        ("_", TaggedFields),
    )


class _TopicIds(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_Question]) -> _Question:
        nobody = str(uuid.UUID(int=0))
        return request_struct_class([(nobody, topic, {}) for topic in self._topics], False, False, {})


async def topic_ids(client: AIOKafkaConsumer, topics: Iterable[str]) -> dict[str, str]:
    """The identity of each topic that exists. Raises KafkaError."""
    connection: Any = client._client  # noqa: SLF001
    node = connection.get_random_node()
    if node is None:
        raise NodeNotReadyError
    answer = await connection.send(node, _TopicIds(topics))
    return {topic["name"]: topic["topic_id"] for topic in answer.to_object()["topics"] if topic["error_code"] == 0}
