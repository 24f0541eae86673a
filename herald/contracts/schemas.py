"""JSON Schema 2020-12 of each event, generated from its model."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from herald_contracts import Event
from herald_contracts.envelope import schema_id

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Generates schemas without titles of fields, which would only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def events() -> list[type[Event]]:
    """Every event class, by type."""
    return [Event.registry[name] for name in sorted(Event.registry)]


def event_schema(cls: type[Event]) -> dict[str, Any]:
    """The schema of an event's data: open (unknown fields are ignored), with its definitions inside."""
    schema = cls.model_json_schema(schema_generator=_Plain)
    return {"$schema": DIALECT, "$id": schema_id(cls.type), **schema}


def shared_schemas(prefix: str) -> dict[str, dict[str, Any]]:
    """The schemas of all events and their parts, by class name; references are `prefix` + name."""
    _, found = models_json_schema(
        [(cls, "validation") for cls in events()],
        schema_generator=_Plain,
        ref_template=prefix + "{model}",
    )
    return dict(sorted(found["$defs"].items()))
