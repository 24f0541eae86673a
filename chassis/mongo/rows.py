"""Stored rows as objects, and back: the one place that says what code of another version may have written.

While a service is updated, its older and newer code work on one database. So, of what is read:

- a field that the class does not have is passed over;
- a field that the row does not have takes its default; a field added to a stored class needs one;
- a word that the class does not list (a `Literal`) is kept as it is.

And of what is written: `changes` sets the fields that this code knows and leaves the others in place. Objects inside
lists are written as a whole, so a class whose objects are read, changed and written there declares a field
`unknown: Mapping[str, Any]`, which carries what its version does not know.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from chassis.mongo.client import Document

T = TypeVar("T")
Convert = Callable[[Any], Any]
UNKNOWN = "unknown"


class RowError(ValueError):
    """A row lacks a field that has no default: it was not written by any version of this code."""


class _Field(NamedTuple):
    """`convert` is None where a stored value is taken as it is; `nested` fields are always objects of their own."""

    name: str
    convert: Convert | None
    has_default: bool
    nested: bool


class _Shape(NamedTuple):
    """How objects of a class are stored."""

    fields: tuple[_Field, ...]
    keeps_unknown: bool


_SHAPES: dict[type[Any], _Shape] = {}


def read(cls: type[T], row: Mapping[str, Any], **given: Any) -> T:
    """The object of a dataclass or named tuple that a row tells of; `_id` is read as `id`, `given` goes before the row.

    Dates are read from ISO 8601 and decimals from text; lists become what the class says. Raises RowError.
    """
    shape = _shape(cls)
    values: dict[str, Any] = {}
    for name, convert, has_default, _ in shape.fields:
        if name in given:
            values[name] = given[name]
        elif name in row:
            value = row[name]
            values[name] = value if convert is None or value is None else convert(value)
        elif name == "id" and "_id" in row:
            values[name] = row["_id"]
        elif not has_default:
            raise RowError(f"{cls.__name__} {row.get('_id', '')}: no {name}")
    if shape.keeps_unknown:
        names = {one.name for one in shape.fields}
        values[UNKNOWN] = {name: value for name, value in row.items() if name not in names}
    return cls(**values)


def document(value: Any) -> Document:
    """The row of a dataclass or named tuple: what `read` reads. Its `id` becomes `_id`."""
    row = _object(value)
    return {"_id": row.pop("id"), **row} if "id" in row else row


def changes(value: Any) -> Document:
    """The fields of an object, for `$set`: those inside of an object that is always there by their dotted path."""
    return {path: one for path, one in _paths(value, "") if path != "id"}


def _paths(value: Any, prefix: str) -> Iterable[tuple[str, Any]]:
    for field in _shape(type(value)).fields:
        one = getattr(value, field.name)
        if field.nested:
            yield from _paths(one, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, _dump(one)


def _object(value: Any) -> Document:
    known = {field.name: _dump(getattr(value, field.name)) for field in _shape(type(value)).fields}
    return {**getattr(value, UNKNOWN, {}), **known}


def _dump(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | datetime | bytes):
        return value
    if _is_stored(type(value)):
        return _object(value)
    if isinstance(value, Mapping):
        return {name: _dump(one) for name, one in value.items()}
    if isinstance(value, Set):
        return sorted(_dump(one) for one in value)
    if isinstance(value, Sequence):
        return [_dump(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _is_stored(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"))


def _shape(cls: type[Any]) -> _Shape:
    found = _SHAPES.get(cls)
    if found is None:
        found = _SHAPES[cls] = _shape_of(cls)
    return found


def _shape_of(cls: Any) -> _Shape:
    hints = get_type_hints(cls)
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        defaults = {
            one.name: one.default is not missing or one.default_factory is not missing
            for one in dataclasses.fields(cls)
        }
    else:
        defaults = {name: name in cls._field_defaults for name in cls._fields}
    fields = [
        _Field(name, _converter(hints[name]), has_default, _is_stored(hints[name]))
        for name, has_default in defaults.items()
        if name != UNKNOWN
    ]
    return _Shape(tuple(fields), UNKNOWN in defaults)


def _converter(hint: Any) -> Convert | None:
    """How a stored value becomes one of this type; None where it is one."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _converter(arguments[0])
    if origin in (Union, types.UnionType):
        found = [one for one in map(_converter, arguments) if one is not None]
        return found[0] if found else None
    if _is_stored(hint):
        return lambda value: read(hint, value)
    if hint is date:
        return lambda value: date.fromisoformat(value) if isinstance(value, str) else value
    if hint is Decimal:
        return lambda value: Decimal(str(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_converter(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Sequence | Set):
        return _collection(origin, _converter(arguments[0]))
    return None


def _mapping(inner: Convert | None) -> Convert | None:
    return None if inner is None else lambda value: {name: inner(one) for name, one in value.items()}


def _collection(origin: type[Any], inner: Convert | None) -> Convert:
    kind: Convert = frozenset if issubclass(origin, Set) else list if issubclass(origin, list) else tuple
    if inner is None:
        return kind
    return lambda value: kind([inner(one) for one in value])
