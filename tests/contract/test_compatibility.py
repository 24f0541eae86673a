"""What breaks a subscriber is found and named, and what does not is let through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from herald.contracts.compatibility import MISREAD, OLD_READERS, OLD_RECORDS, breaking_changes
from herald.operations.topics import Subscription, Topic

Schema = dict[str, Any]
EVENT = "herald.PostShared.v1"
RELEASED: Schema = {
    "type": "object",
    "required": ["post_id", "network", "variants"],
    "properties": {
        "post_id": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[a-z]+$"},
        "network": {"type": "string", "enum": ["linkedin", "x"], "description": "Where"},
        "quantity": {"type": "integer", "minimum": 1, "default": 1},
        "caption_id": {"anyOf": [{"type": "string", "maxLength": 128}, {"type": "null"}], "default": None},
        "method": {"type": "string", "const": "dialog"},
        "meant": {"type": "object", "properties": {"teams": {"default": []}}, "default": {"teams": []}},
        "origin": {"type": "string", "pattern": "^[a-z]+$", "x-known-values": ["feed", "editor"]},
        "variants": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Variant"}},
    },
    "$defs": {
        "Variant": {
            "type": "object",
            "required": ["language"],
            "properties": {"language": {"type": "string", "maxLength": 35}, "title": {"type": "string"}},
        }
    },
}


def fields(schema: Schema) -> dict[str, Schema]:
    found: dict[str, Schema] = schema["properties"]
    return found


def variant(schema: Schema) -> Schema:
    found: Schema = schema["$defs"]["Variant"]
    return found


def changed(change: Callable[[Schema], object]) -> list[tuple[str, str, str]]:
    current = copy.deepcopy(RELEASED)
    change(current)
    found = breaking_changes({EVENT: RELEASED}, {EVENT: current}, [], [])
    assert all(one.event == EVENT and str(one).startswith(EVENT) for one in found)
    return [(one.field, one.change, one.effect) for one in found]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,
        lambda s: fields(s).update(mood={"type": "string"}),
        lambda s: fields(s)["network"].update(description="Another word for it", title="Network"),
        lambda s: fields(variant(s)).update(summary={"type": "string", "default": ""}),
        lambda s: fields(fields(s)["meant"]).update(sites={"default": []}),
        lambda s: (
            fields(fields(s)["meant"]).update(sites={"default": []}),
            fields(s)["meant"]["default"].update(sites=[]),
        ),
        lambda s: fields(s)["network"]["enum"].reverse(),
        lambda s: fields(s)["origin"]["x-known-values"].append("import"),
        lambda s: fields(s)["origin"]["x-known-values"].reverse(),
        lambda s: s["required"].reverse(),
        lambda s: fields(s)["method"].update(enum=[fields(s)["method"].pop("const")]),
        lambda s: fields(s).update(variants={"type": "array", "minItems": 1, "items": s["$defs"].pop("Variant")}),
    ],
)
def test_compatible(change: Callable[[Schema], object]) -> None:
    assert changed(change) == []


@pytest.mark.parametrize(
    ("change", "field", "said", "effect"),
    [
        (lambda s: fields(s).pop("caption_id"), "caption_id", "removed", MISREAD),
        (
            lambda s: (fields(s).pop("post_id"), s["required"].remove("post_id")),
            "post_id",
            "removed",
            OLD_READERS,
        ),
        (
            lambda s: (fields(s).update(mood={"type": "string"}), s["required"].append("mood")),
            "mood",
            "new and required",
            OLD_RECORDS,
        ),
        (lambda s: s["required"].append("quantity"), "quantity", "now required", OLD_RECORDS),
        (lambda s: s["required"].remove("network"), "network", "no longer required", OLD_READERS),
        (lambda s: fields(s)["network"]["enum"].append("mastodon"), "network", "value 'mastodon' added", OLD_READERS),
        (lambda s: fields(s)["network"]["enum"].remove("x"), "network", "value 'x' removed", OLD_RECORDS),
        (lambda s: fields(s)["network"].pop("enum"), "network", "is no enumeration any more", OLD_READERS),
        (lambda s: fields(s)["post_id"].update(enum=["a"]), "post_id", "became an enumeration", OLD_RECORDS),
        (lambda s: fields(s)["method"].update(const="api"), "method", "value 'api' added", OLD_READERS),
        (
            lambda s: fields(s)["origin"]["x-known-values"].remove("feed"),
            "origin",
            "known value 'feed' removed",
            MISREAD,
        ),
        (
            lambda s: fields(s)["origin"].update(enum=fields(s)["origin"].pop("x-known-values")),
            "origin",
            "became an enumeration",
            OLD_RECORDS,
        ),
        (lambda s: fields(s)["origin"].update(pattern="^[ef].*$"), "origin", "pattern changed", OLD_RECORDS),
        (lambda s: fields(s)["quantity"].update(type="number"), "quantity", "type changed from 'integer'", OLD_RECORDS),
        (
            lambda s: fields(s)["post_id"].update(maxLength=64),
            "post_id",
            "maxLength changed from 128 to 64",
            OLD_RECORDS,
        ),
        (lambda s: fields(s)["post_id"].update(maxLength=256), "post_id", "maxLength changed", OLD_READERS),
        (
            lambda s: fields(s)["post_id"].pop("maxLength"),
            "post_id",
            "maxLength changed from 128 to nothing",
            OLD_READERS,
        ),
        (lambda s: fields(s)["quantity"].update(minimum=2), "quantity", "minimum changed from 1 to 2", OLD_RECORDS),
        (lambda s: fields(s)["quantity"].update(minimum=0), "quantity", "minimum changed from 1 to 0", OLD_READERS),
        (lambda s: fields(s)["quantity"].update(maximum=9), "quantity", "maximum changed from nothing", OLD_RECORDS),
        (lambda s: fields(s)["post_id"].update(pattern="^.+$"), "post_id", "pattern changed", OLD_RECORDS),
        (lambda s: fields(s)["post_id"].update(format="uuid"), "post_id", "format changed from nothing", OLD_RECORDS),
        (
            lambda s: fields(s)["meant"].update(default={"teams": ["x"]}),
            "meant",
            "default changed from {'teams': []} to {'teams': ['x']}",
            MISREAD,
        ),
        (lambda s: fields(s)["quantity"].update(default=2), "quantity", "default changed from 1 to 2", MISREAD),
        (lambda s: fields(s)["caption_id"]["anyOf"].pop(), "caption_id", "may be null changed from True", OLD_RECORDS),
        (
            lambda s: fields(s).update(method={"anyOf": [fields(s)["method"], {"type": "null"}]}),
            "method",
            "may be null changed from False to True",
            OLD_READERS,
        ),
        (
            lambda s: fields(s)["caption_id"]["anyOf"].insert(0, {"type": "integer"}),
            "caption_id",
            "anyOf changed from nothing to integer/string/null",
            OLD_READERS,
        ),
        (
            lambda s: fields(s)["caption_id"]["anyOf"][0].update(maxLength=64),
            "caption_id",
            "maxLength changed from 128 to 64",
            OLD_RECORDS,
        ),
        (
            lambda s: variant(s)["required"].append("title"),
            "variants[].title",
            "now required",
            OLD_RECORDS,
        ),
        (
            lambda s: fields(variant(s))["language"].update(maxLength=8),
            "variants[].language",
            "maxLength changed from 35 to 8",
            OLD_RECORDS,
        ),
        (lambda s: fields(s)["variants"].update(minItems=0), "variants", "minItems changed from 1 to 0", OLD_READERS),
        (lambda s: s.update(additionalProperties=False), "", "additionalProperties changed", OLD_RECORDS),
    ],
)
def test_breaking(change: Callable[[Schema], object], field: str, said: str, effect: str) -> None:
    found = changed(change)
    assert any(
        where == field and what.startswith(said) and effect in consequence for where, what, consequence in found
    ), found


def topic(name: str, key: str, *events: str, readers: tuple[str, ...] = ()) -> Topic:
    consumers = [Subscription(group=group, dead_letters=None, events=list(events)) for group in readers]
    return Topic(
        name=name,
        owner="sharing",
        description="-",
        key=key,
        partitions=1,
        retention_days=1,
        cleanup="delete",
        max_message_bytes=1024,
        events=list(events),
        consumers=consumers,
    )


def test_an_event_that_moves_or_changes_its_key_breaks() -> None:
    old, new = [topic("herald.posts", "ambassador_id", EVENT)], [topic("herald.shares", "post_id", EVENT)]
    found = breaking_changes({EVENT: RELEASED}, {EVENT: RELEASED}, old, new)
    assert [one.change for one in found] == [
        "moved from herald.posts to herald.shares",
        "key changed from ambassador_id to post_id",
    ]


def test_an_event_goes_only_when_a_newer_version_is_there_and_nobody_reads_it() -> None:
    newer = {"herald.PostShared.v2": RELEASED}
    unread, read = topic("herald.posts", "id", EVENT), topic("herald.posts", "id", EVENT, readers=("metrics",))
    assert breaking_changes({EVENT: RELEASED}, newer, [unread], []) == []
    for current, topics in (({}, [unread]), (newer, [read])):
        assert [one.change for one in breaking_changes({EVENT: RELEASED}, current, topics, [])] == ["event removed"]
