"""Rules that a field of a request can break: stable words, with parameters, that a program and a page go by.

What Pydantic finds wrong becomes one of these, here and nowhere else:

- ``required``: it is not there, or there is nothing in it; ``unknown-field``: there is no such field.
- ``text``, ``whole-number``, ``number``, ``boolean``, ``list``, ``object``, ``day``, ``rfc3339``: it is something else.
- ``too-short`` (``min``) and ``too-long`` (``max``): characters; ``too-few`` and ``too-many``: entries.
- ``at-least`` and ``above`` (``min``), ``at-most`` and ``below`` (``max``); ``decimals`` (``max``): digits after the
  decimal sign.
- ``one-of`` (``values``); ``country``, ``language``, ``id``, and ``format`` for other patterns.
- ``invalid``: whatever else.

A validator of ours raises `broken`, with a rule of its own. People read a sentence by rule and language, from the hub's
catalogue (`services/hub/refusals.py`); the English `detail` beside a rule is for readers of an API's answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, get_args

from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

from herald_contracts import base

_TYPES: Final = frozenset(get_args(ErrorType))
_OTHER: Final = "invalid"
_TYPES_BY_RULE: Final[Mapping[str, tuple[str, ...]]] = {
    "required": ("missing",),
    "unknown-field": ("extra_forbidden",),
    "text": ("string_type", "string_unicode"),
    "whole-number": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "number": (
        "float_type",
        "float_parsing",
        "finite_number",
        "decimal_type",
        "decimal_parsing",
        "decimal_max_digits",
        "decimal_whole_digits",
    ),
    "boolean": ("bool_type", "bool_parsing"),
    "list": ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
    "object": ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
    "day": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "rfc3339": (
        "datetime_type",
        "datetime_parsing",
        "datetime_object_invalid",
        "datetime_from_date_parsing",
        "timezone_naive",
    ),
    "too-short": ("string_too_short",),
    "too-long": ("string_too_long",),
    "too-few": ("too_short",),
    "too-many": ("too_long",),
    "at-least": ("greater_than_equal",),
    "above": ("greater_than",),
    "at-most": ("less_than_equal",),
    "below": ("less_than",),
    "decimals": ("decimal_max_places",),
    "one-of": ("literal_error", "enum"),
    "format": ("string_pattern_mismatch",),
}
_RULES: Final = {type_: rule for rule, types in _TYPES_BY_RULE.items() for type_ in types}
RULES: Final = frozenset({*_TYPES_BY_RULE, "country", "language", "id", _OTHER})
"""What Pydantic's errors become."""
_PARAMS: Final = {
    "min_length": "min",
    "ge": "min",
    "gt": "min",
    "max_length": "max",
    "le": "max",
    "lt": "max",
    "decimal_places": "max",
}


def _pattern(annotated: Any) -> str:
    return str(next(meta.pattern for field in annotated.__metadata__ for meta in field.metadata if _has_pattern(meta)))


def _has_pattern(meta: Any) -> bool:
    return getattr(meta, "pattern", None) is not None


_BY_PATTERN: Final = {
    _pattern(one): rule for one, rule in ((base.Country, "country"), (base.Language, "language"), (base.Id, "id"))
}


def broken(rule: str, detail: str, /, **params: Any) -> PydanticCustomError:
    """What a validator raises: the rule that a value breaks, an English sentence, and the rule's parameters."""
    type_: Any = rule
    return PydanticCustomError(type_, "{detail}", {**params, "detail": detail})


def rule_of(error: ErrorDetails) -> tuple[str, dict[str, Any]]:
    """The rule that an error of Pydantic names, with its parameters as JSON has them."""
    type_, context = error["type"], error.get("ctx", {})
    if type_ not in _TYPES:
        return type_, {name: _plain(value) for name, value in context.items() if name != "detail"}
    rule = _RULES.get(type_, _OTHER)
    params = {_PARAMS[name]: _plain(value) for name, value in context.items() if name in _PARAMS}
    if rule == "one-of":
        params = {"values": re.findall(r"'([^']*)'", str(context.get("expected", "")))}
    if rule == "format":
        rule = _BY_PATTERN.get(str(context.get("pattern")), rule)
    if rule in ("too-short", "too-few") and params.get("min") == 1:
        return "required", {}
    return rule, params


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float | str | list) else str(value)
