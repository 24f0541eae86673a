"""The checks of `herald contracts check`; each gives one sentence for each error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import ValidationError

from herald.contracts.compatibility import breaking_changes
from herald.contracts.documents import stale
from herald.contracts.examples import Example, load_examples
from herald.contracts.released import is_intact, releases
from herald.contracts.schemas import event_schema, events
from herald.contracts.services import consumed
from herald.operations.topics import CONTRACTS, Topic, load_topics
from herald_contracts import Event, Undecodable, decode, encode

DEAD_LETTERS = "herald.deadletters."


def check(root: Path = CONTRACTS, against: Path | None = None) -> list[str]:
    """Every finding; empty if all is well. Compares with the last release, or the release in the folder `against`."""
    try:
        topics, examples = load_topics(root / "topics"), load_examples(root / "examples")
    except ValueError as error:
        return [str(error)]
    found = [f"{path}: not fresh, run 'herald contracts generate'" for path in stale(root)]
    found += check_words({cls.type: event_schema(cls) for cls in events()})
    found += check_topics(topics)
    found += check_consumers(topics, consumed())
    found += check_examples(examples)
    return found + check_releases([against] if against else releases(root), topics)


def check_words(schemas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """No field of an event is a closed enumeration: nothing could be added to it."""
    return [
        f"{event}: {path}: a closed enumeration; use an open word of herald_contracts.words"
        for event, schema in schemas.items()
        for path in _closed(schema, "")
    ]


def _closed(schema: Any, path: str) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "enum" in schema or "const" in schema:
            yield path
        for name, inner in schema.items():
            yield from _closed(inner, path if name in ("properties", "$defs") else f"{path}.{name}".lstrip("."))
    elif isinstance(schema, list):
        for inner in schema:
            yield from _closed(inner, path)


def check_topics(topics: Sequence[Topic]) -> list[str]:
    """Topic files against the event classes and each other."""
    by_name = {topic.name: topic for topic in topics}
    found = [
        f"{cls.type}: {problem}"
        for cls in events()
        for name in cls.topics()
        for problem in _event_on_topic(cls, name, by_name.get(name))
    ]
    for topic in topics:
        found += [f"{topic.name}: {problem}" for problem in _topic(topic, by_name)]
    return found


def _event_on_topic(cls: type[Event], name: str, topic: Topic | None) -> Iterator[str]:
    if topic is None:
        yield f"no topic file for {name}"
        return
    if cls.type not in topic.events:
        yield f"not listed by {topic.name}"
    if cls.key != topic.key:
        yield f"key is {cls.key}, but {topic.name} says {topic.key}"
    if (source := cls.source.format(service=topic.owner)) != f"/herald/{topic.owner}":
        yield f"source is {source}, but {topic.name} belongs to {topic.owner}"
    for role, field in (("key", cls.key), ("subject", cls.subject)):
        if field not in cls.model_fields or not cls.model_fields[field].is_required():
            yield f"{role} {field} is no required field of it"


def _topic(topic: Topic, topics: dict[str, Topic]) -> Iterator[str]:
    for event in topic.events:
        if event not in Event.registry:
            yield f"lists {event}, which is no event"
        elif topic.name not in (travels_on := Event.registry[event].topics()):
            yield f"lists {event}, which travels on {', '.join(travels_on)}"
    if topic.name.startswith(DEAD_LETTERS) and topic.name != DEAD_LETTERS + topic.owner:
        yield f"belongs to {topic.owner}"
    for consumer in topic.consumers:
        for event in consumer.events:
            if event not in topic.events:
                yield f"consumer {consumer.group} reads {event}, which it does not carry"
        if consumer.dead_letters is not None and consumer.dead_letters not in topics:
            yield f"dead letters of {consumer.group} go to {consumer.dead_letters}, which has no topic file"
        elif consumer.dead_letters not in (None, DEAD_LETTERS + consumer.group):
            yield f"dead letters of {consumer.group} go to {consumer.dead_letters}, another's topic"


def check_consumers(topics: Sequence[Topic], consumed: Mapping[str, set[str]]) -> list[str]:
    """The consumers in the topic files against what the services handle."""
    found = []
    for service, handled in sorted(consumed.items()):
        listed = {
            event
            for topic in topics
            for consumer in topic.consumers
            if consumer.group == service
            for event in consumer.events
        }
        found += [f"{service} handles {event}, which no topic file lists for it" for event in sorted(handled - listed)]
        found += [f"{service} is listed for {event}, but does not handle it" for event in sorted(listed - handled)]
    return found


def check_examples(examples: Sequence[Example]) -> list[str]:
    """Each example against the schema, the model and the envelope; each event has one."""
    shown = {example.type for example in examples}
    found = [f"{cls.type}: no example" for cls in events() if cls.type not in shown]
    for example in examples:
        found += [f"{example.type} example {example.name}: {problem}" for problem in _example(example)]
    return found


def _example(example: Example) -> Iterator[str]:
    cls = Event.registry.get(example.type)
    if cls is None:
        yield "no such event"
        return
    for error in Draft202012Validator(event_schema(cls)).iter_errors(example.data):
        yield f"{error.json_path}: {error.message}"
    try:
        event = decode(example.wire_headers, example.value)
        cls.model_validate_json(example.value, strict=True, extra="forbid")
    except (Undecodable, ValidationError) as error:
        yield str(error)
        return
    record = encode(
        event.data,
        id=event.id,
        time=event.time,
        traceparent=event.traceparent,
        tracestate=event.tracestate,
    )
    if example.wire_headers != record.headers:
        wrong = dict(example.wire_headers).items() ^ dict(record.headers).items()
        yield f"headers differ from what is sent: {', '.join(sorted({name for name, _ in wrong})) or 'order'}"
    if example.key.encode() != record.key:
        yield f"key differs from what is sent: {record.key.decode()}"


def check_releases(all_releases: Sequence[Path], topics: Sequence[Topic]) -> list[str]:
    """Today's schemas and topics against those of the last release, today's decoder against the records of each."""
    found = [f"{release.name}: the release was changed" for release in all_releases if not is_intact(release)]
    if found:
        return found
    for release in all_releases:
        found += [f"{release.name}: {problem}" for problem in _replay(load_examples(release / "records"))]
    return found + (_compare(all_releases[-1], topics) if all_releases else [])


def _compare(release: Path, topics: Sequence[Topic]) -> list[str]:
    released = {
        f"herald.{path.parent.name}.{path.stem}": json.loads(path.read_text("utf-8"))
        for path in sorted(release.glob("schemas/*/v*.json"))
    }
    current = {cls.type: event_schema(cls) for cls in events()}
    changes = breaking_changes(released, current, load_topics(release / "topics"), topics)
    return [f"{release.name}: {change}" for change in changes]


def _replay(examples: Iterable[Example]) -> Iterator[str]:
    """Today's code still reads every record of a release."""
    for example in examples:
        if example.type in Event.registry:
            try:
                decode(example.wire_headers, example.value)
            except Undecodable as error:
                yield f"{example.type}: the golden record {example.name} is refused today: {error}"
