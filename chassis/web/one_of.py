"""A value out of those that this version knows, for requests: `Annotated[str, OneOf(NETWORKS)]`.

Events and answers carry open words, which grow; a request for something that nobody could carry out is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class OneOf:
    """Refuses any other string, by the rule `literal_error`; an enumeration in OpenAPI."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))
