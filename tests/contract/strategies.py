"""Hypothesis strategies for events, made from their schemas: whatever a schema allows can be drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from herald.contracts.schemas import event_schema, events
from herald_contracts import Event

MINUTES = st.integers(-14 * 60, 14 * 60)
ZONES = MINUTES.map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(timezones=ZONES).filter(lambda time: 2 < time.year < 9998)
LETTERS = st.characters(codec="utf-8")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

event_classes: st.SearchStrategy[type[Event]] = st.sampled_from(events())


@cache
def data_of(cls: type[Event]) -> st.SearchStrategy[Any]:
    """JSON data of one event type that its schema allows."""
    schema = event_schema(cls)
    return _values(schema, schema)


@cache
def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    """Events of one type."""
    return data_of(cls).map(json.dumps).map(cls.from_json)


def _values(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([_values(choice, root) for choice in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "null" | "boolean" as constant:
            return st.none() if constant == "null" else st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53))
        case "number":
            return _numbers(schema)
        case "string":
            return _strings(schema)
        case "array":
            return st.lists(_values(schema["items"], root), min_size=schema.get("minItems", 0), max_size=3)
        case "object":
            return _objects(schema, root)
        case other:
            raise NotImplementedError(other)


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy[float]:
    above = schema.get("exclusiveMinimum")
    return st.floats(
        min_value=schema.get("minimum", above),
        exclude_min=above is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def _strings(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
    if schema.get("format") == "date-time":
        return TIMES.map(lambda time: time.isoformat())
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if "pattern" in schema:
        exact = st.from_regex(schema["pattern"], fullmatch=schema["pattern"].endswith("$"), alphabet=LETTERS)
        return exact.filter(lambda text: least <= len(text) <= most)
    return st.text(LETTERS, min_size=least, max_size=min(most, 40))


def _objects(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", ()))
    fields = {name: _values(field, root) for name, field in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: values for name, values in fields.items() if name in required},
        optional={name: values for name, values in fields.items() if name not in required},
    )
