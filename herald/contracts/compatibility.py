"""What breaks a subscriber: the schemas of today against those of a release.

Events are read by two kinds of readers at once. Subscribers that installed the release read new records,
and today's code reads every record that the release ever wrote, since topics are replayed from the beginning.
So a version is kept only by a change that both survive:

- compatible: a new optional field (readers ignore what they do not know), a description, a new event, another
  known value of an open word (a pattern with `x-known-values`: readers keep what they do not know);
- breaking, as records already on the topic would be refused: a new required field, or anything narrower
  (a type, a limit, a pattern, an enumeration with a value less, an open word that was closed);
- breaking, as the release's subscribers would refuse new records: a required field removed or made optional,
  or anything wider (a limit, a nullable field, an enumeration with a value more: enumerations are closed);
- breaking, as they would miss or misread something: an optional field removed, a default that changed, a known
  value of an open word removed (records carry it), an event that moved to another topic or changed its key, an
  event removed. Only an event that has a newer
  version and that no consumer of the release's topic file reads may go.

Anything else is a new version of the event, emitted beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from herald.operations.topics import Topic
from herald_contracts.words import KNOWN_VALUES

Schema = Mapping[str, Any]

ANNOTATIONS = {"$comment", "$defs", "$id", "$schema", "deprecated", "description", "examples", "title"}
STRUCTURE = {"$ref", "properties", "required", "items", "anyOf", "enum", "default", KNOWN_VALUES}
UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}

OLD_RECORDS = "records already on the topic would be refused"
OLD_READERS = "subscribers on the release would refuse new records"
MISREAD = "subscribers on the release would miss or misread it"
NULLABLE = "may be null"


@dataclass(frozen=True, slots=True)
class Breaking:
    """One breaking change; `field` is a dotted path, empty where it is about the event."""

    event: str
    field: str
    change: str
    effect: str

    def __str__(self) -> str:
        where = f"{self.event}: {self.field}" if self.field else self.event
        return f"{where}: {self.change} ({self.effect})"


def breaking_changes(
    released: Mapping[str, Schema],
    current: Mapping[str, Schema],
    released_topics: Sequence[Topic],
    current_topics: Sequence[Topic],
) -> list[Breaking]:
    """Every breaking change; schemas are by CloudEvents type."""
    found: list[Breaking] = []
    for event, old in released.items():
        if event in current:
            found += _Comparison(event, old, current[event]).changes()
        elif not _retired(event, current, released_topics):
            found.append(Breaking(event, "", "event removed", MISREAD))
    found += _moved(released_topics, current_topics, current)
    return found


def _retired(event: str, current: Mapping[str, Schema], topics: Iterable[Topic]) -> bool:
    name, _, version = event.rpartition(".v")
    newer = any(
        other.rpartition(".v")[0] == name and int(other.rpartition(".v")[2]) > int(version) for other in current
    )
    return newer and not any(event in consumer.events for topic in topics for consumer in topic.consumers)


def _moved(old: Sequence[Topic], new: Sequence[Topic], current: Mapping[str, Schema]) -> Iterator[Breaking]:
    for topic in old:
        for event in topic.events:
            today = {one.name: one for one in new if event in one.events}
            if event not in current or not today:
                continue
            if topic.name not in today:
                yield Breaking(event, "", f"moved from {topic.name} to {', '.join(today)}", MISREAD)
            if changed := {one.key for one in today.values()} - {topic.key}:
                yield Breaking(event, "", f"key changed from {topic.key} to {', '.join(changed)}", MISREAD)


class _Comparison:
    """Walks two schemas of one event side by side."""

    def __init__(self, event: str, old: Schema, new: Schema) -> None:
        self._event = event
        self._old = old
        self._new = new

    def changes(self) -> list[Breaking]:
        return list(self._walk("", self._old, self._new, frozenset()))

    def _say(self, field: str, change: str, effect: str) -> Breaking:
        return Breaking(self._event, field, change, effect)

    def _walk(self, field: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]) -> Iterator[Breaking]:
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if pair in seen:
            return
        if any(pair):
            seen |= {pair}
        was, now = _plain(old, self._old), _plain(new, self._new)
        yield from self._values(field, was, now)
        yield from self._fields(field, was, now, seen)
        for keyword in ("items", "anyOf"):
            yield from self._inside(field, keyword, was, now, seen)

    def _fields(self, field: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]) -> Iterator[Breaking]:
        was, now = old.get("properties", {}), new.get("properties", {})
        must, shall = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(was.keys() | now.keys()):
            path = f"{field}.{name}" if field else name
            if name not in now:
                yield self._say(path, "removed", OLD_READERS if name in must else MISREAD)
            elif name not in was:
                if name in shall:
                    yield self._say(path, "new and required", OLD_RECORDS)
            else:
                if name in must - shall:
                    yield self._say(path, "no longer required", OLD_READERS)
                if name in shall - must:
                    yield self._say(path, "now required", OLD_RECORDS)
                yield from self._walk(path, was[name], now[name], seen)

    def _inside(
        self, field: str, keyword: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]
    ) -> Iterator[Breaking]:
        was, now = _alternatives(old, keyword), _alternatives(new, keyword)
        if len(was) != len(now):
            narrower = len(now) < len(was) if keyword == "anyOf" else len(now) > len(was)
            change = f"{keyword} changed from {_names(was)} to {_names(now)}"
            yield self._say(field, change, OLD_RECORDS if narrower else OLD_READERS)
            return
        path = f"{field}[]" if keyword == "items" else field
        for before, after in zip(was, now, strict=True):
            yield from self._walk(path, before, after, seen)

    def _values(self, field: str, old: Schema, new: Schema) -> Iterator[Breaking]:
        was, now = set(old.get("enum", [])), set(new.get("enum", []))
        if ("enum" in old) != ("enum" in new):
            narrower = "enum" in new
            change = "became an enumeration" if narrower else "is no enumeration any more"
            yield self._say(field, change, OLD_RECORDS if narrower else OLD_READERS)
        else:
            for value in sorted(was - now):
                yield self._say(field, f"value {value!r} removed", OLD_RECORDS)
            for value in sorted(now - was):
                yield self._say(field, f"value {value!r} added", OLD_READERS)
        for value in old.get(KNOWN_VALUES, []):
            if value not in new.get(KNOWN_VALUES, []):
                yield self._say(field, f"known value {value!r} removed", MISREAD)
        if _filled(old.get("default"), new) != _filled(new.get("default"), new):
            change = f"default changed from {old.get('default')!r} to {new.get('default')!r}"
            yield self._say(field, change, MISREAD)
        for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS - STRUCTURE):
            before, after = old.get(keyword), new.get(keyword)
            if before != after:
                change = f"{keyword} changed from {_text(before)} to {_text(after)}"
                yield self._say(field, change, _effect(keyword, before, after))


def _effect(keyword: str, before: Any, after: Any) -> str:
    if keyword == NULLABLE:
        return OLD_READERS if after else OLD_RECORDS
    if before is None:
        return OLD_RECORDS
    if after is None:
        return OLD_READERS
    if keyword in UPPER:
        return OLD_RECORDS if after < before else OLD_READERS
    if keyword in LOWER:
        return OLD_RECORDS if after > before else OLD_READERS
    return f"{OLD_RECORDS}, or {OLD_READERS}"


def _plain(schema: Schema, root: Schema) -> Schema:
    """A schema in one shape: references followed, `const` as `enum`, "or null" as a keyword of its own."""
    rest = dict(schema)
    if "$ref" in rest:
        target = root["$defs"][str(rest.pop("$ref")).removeprefix("#/$defs/")]
        return _plain({**target, **rest}, root)
    choices = rest.get("anyOf", [])
    values = [choice for choice in choices if choice != {"type": "null"}]
    if len(values) == 1:
        del rest["anyOf"]
        rest = {**_plain(values[0], root), **rest}
    if "const" in rest:
        rest["enum"] = [rest.pop("const")]
    rest[NULLABLE] = len(values) < len(choices) or rest.get(NULLABLE, False)
    return rest


def _filled(default: Any, schema: Schema) -> Any:
    """A default with those of the fields that it leaves out: a new optional field changes no default."""
    if not isinstance(default, Mapping):
        return default
    own = {name: one["default"] for name, one in schema.get("properties", {}).items() if "default" in one}
    return {**own, **default}


def _alternatives(schema: Schema, keyword: str) -> list[Schema]:
    found = schema.get(keyword, [])
    return found if isinstance(found, list) else [found]


def _names(schemas: Iterable[Schema]) -> str:
    return "/".join(str(one.get("type", one.get("$ref", "?"))) for one in schemas) or "nothing"


def _text(value: Any) -> str:
    return "nothing" if value is None else repr(value)
