"""The AsyncAPI 3 document: one channel a topic, with its key, headers, examples, producers and groups."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from typing import Any

from herald.contracts.examples import Example
from herald.contracts.schemas import events, shared_schemas
from herald.operations.topics import CONTRACTS, Topic
from herald_contracts import Event
from herald_contracts.envelope import schema_id

KAFKA_BINDING = "0.5.0"
UNLIMITED = -1
DESCRIPTION = """\
What Herald's services tell each other and any other system of the enterprise, over Kafka.

Records are CloudEvents 1.0 in binary content mode: attributes in `ce_*` headers, JSON in the value.
Route by `ce_type`, never by topic alone: a topic carries several types, and gains more.
Records of one key are in order. Delivery is at least once: `ce_id` tells a duplicate.
State topics keep everything, so that a new subscriber reads from the beginning.
Ignore fields that you do not know. An installation may prefix topics and groups with its namespace.
"""
HEADERS: dict[str, tuple[str, bool]] = {
    "ce_specversion": ("CloudEvents version", True),
    "ce_id": ("Identifies the event: a UUIDv7; the same on every delivery", True),
    "ce_type": ("What happened and in which version: the only routing key", True),
    "ce_source": ("The service that emits it", True),
    "ce_subject": ("The aggregate that it happened to", False),
    "ce_time": ("When it was recorded, RFC 3339 in UTC", True),
    "ce_dataschema": ("The JSON Schema of the value", False),
    "ce_partitionkey": ("The record's key", False),
    "content-type": ("Media type of the value", True),
    "traceparent": ("W3C Trace Context of the act that caused it", False),
    "tracestate": ("W3C Trace Context", False),
}
DEAD_LETTER = {
    "name": "DeadLetter",
    "title": "A record that a service could not process",
    "summary": "Key, value and headers of the original; further headers say why and where it came from.",
    "contentType": "application/octet-stream",
    "headers": {
        "type": "object",
        "required": [f"herald_deadletter_{name}" for name in ("id", "rule", "topic", "partition", "offset")],
        "properties": {
            "herald_deadletter_id": {"type": "string", "description": "The same however often it is dead-lettered"},
            "herald_deadletter_rule": {"type": "string", "description": "Why, as a stable word"},
            "herald_deadletter_detail": {"type": "string", "description": "Why, as a sentence"},
            "herald_deadletter_topic": {"type": "string", "description": "Where it came from"},
            "herald_deadletter_partition": {"type": "string", "pattern": "^[0-9]+$"},
            "herald_deadletter_offset": {"type": "string", "pattern": "^[0-9]+$"},
            "herald_deadletter_timestamp": {"type": "string", "description": "Of the original, ms since 1970"},
            "herald_deadletter_left_out": {"type": "string", "description": "What was too large to be kept"},
        },
    },
}


def asyncapi_document(topics: Sequence[Topic], examples: Sequence[Example]) -> dict[str, Any]:
    """The document as plain data, in a stable order."""
    package = tomllib.loads((CONTRACTS / "pyproject.toml").read_text("utf-8"))["project"]
    messages = {_message_id(cls.type): _message(cls, examples) for cls in events()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Herald events",
            "version": package["version"],
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": owner} for owner in sorted({topic.owner for topic in topics})],
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(operation for topic in topics for operation in _operations(topic)),
        "components": {
            "messages": {**messages, "DeadLetter": DEAD_LETTER},
            "schemas": shared_schemas("#/components/schemas/"),
        },
    }


def _message_id(event_type: str) -> str:
    """`herald.PostShared.v1` is `PostShared.v1`."""
    return event_type.removeprefix("herald.")


def _summary(cls: type[Event]) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _message(cls: type[Event], examples: Iterable[Example]) -> dict[str, Any]:
    return {
        "name": cls.type,
        "title": cls.type.split(".")[1],
        "summary": _summary(cls),
        "contentType": "application/json",
        "headers": _headers(cls),
        "payload": {"$ref": f"#/components/schemas/{cls.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The event's {cls.key}"},
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "examples": [
            {"name": example.name, "headers": example.headers, "payload": example.data}
            for example in examples
            if example.type == cls.type
        ],
    }


def _headers(cls: type[Event]) -> dict[str, Any]:
    fixed = {
        "ce_specversion": "1.0",
        "ce_type": cls.type,
        "ce_source": cls.source,
        "ce_dataschema": schema_id(cls.type),
        "content-type": "application/json",
    }
    if cls.emitters:
        del fixed["ce_source"]
    properties: dict[str, Any] = {}
    for name, (description, _) in HEADERS.items():
        properties[name] = {"type": "string", "description": description}
        if name in fixed:
            properties[name]["const"] = fixed[name]
    properties["ce_time"]["format"] = "date-time"
    required = [name for name, (_, always) in HEADERS.items() if always]
    return {"type": "object", "required": required, "properties": properties}


def _channel(topic: Topic) -> dict[str, Any]:
    """Dead-letter topics carry other topics' records, so they have one message of no schema."""
    messages = [_message_id(event) for event in topic.events] or ["DeadLetter"]
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "tags": [{"name": topic.owner}],
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": int(topic.config["retention.ms"]),
                    "retention.bytes": UNLIMITED,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operations(topic: Topic) -> Iterable[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{topic.name}"}
    yield (
        f"{topic.owner}.send.{topic.name}",
        {
            "action": "send",
            "channel": channel,
            "summary": f"{topic.owner} emits",
            "tags": [{"name": topic.owner}],
        },
    )
    for consumer in topic.consumers:
        yield (
            f"{consumer.group}.receive.{topic.name}",
            {
                "action": "receive",
                "channel": channel,
                "summary": f"{consumer.group} reads",
                "tags": [{"name": consumer.group}],
                "messages": [
                    {"$ref": f"#/channels/{topic.name}/messages/{_message_id(event)}"} for event in consumer.events
                ],
                "bindings": {
                    "kafka": {
                        "groupId": {"type": "string", "const": consumer.group},
                        "bindingVersion": KAFKA_BINDING,
                    }
                },
            },
        )
