"""JSON bodies as they are written: a value of another type is refused, not turned into what was meant.

`"no"` is no boolean, `"3"` no number and `0` no day; a whole number may stand for a fraction. FastAPI validates what
it has parsed already, and leniently. `strict` has the body of an endpoint validated as JSON.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import typing
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, WrapValidator

LONG: Final = 16 * 1024
"""Bytes of a body from which on it is read in a thread."""
_ADAPTER: Final = "herald_body"
_validated: ContextVar[tuple[Any, Any]] = ContextVar("validated", default=(None, None))
"""A body that was validated before FastAPI asks for it, with what came of it."""


class Body(BaseModel):
    """A request's body: unknown fields and other types are refused, nothing is changed silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class JsonRequest(Request):
    """A request whose JSON is JSON: `NaN` is none, and neither is what is nested too deep to be read, or has a name
    twice."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            if len(body) < LONG:
                self._json = _parsed(body)
            else:
                self._json = await asyncio.to_thread(_parsed, body)
                validate = _validator(self.scope.get("route"))
                if validate is not None:
                    _validated.set((self._json, await asyncio.to_thread(validate, self._json, body)))
        return self._json


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant, object_pairs_hook=_object)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(f"it cannot be read: {type(error).__name__}", "", 0) from None


def _validator(route: Any) -> Callable[[Any, bytes], Any] | None:
    """Gives the model of a route's body, parsed and as it came, or the error that is raised for it."""
    endpoint = getattr(route, "endpoint", None)
    adapter: TypeAdapter[Any] | None = getattr(endpoint, _ADAPTER, None)
    if adapter is None:
        return None

    def validate(value: Any, body: bytes) -> Any:
        as_it_came = body[:1] == b"{" and b"\x00" not in body  # in UTF-8, without a mark of byte order
        try:
            return adapter.validate_json(body if as_it_came else json.dumps(value), strict=True)
        except ValidationError as error:
            return error

    return validate


def strict(endpoint: Callable[..., Any]) -> None:
    """Have the bodies of an endpoint validated strictly. Raises TypeError for a body that is no `Body`."""
    hints = typing.get_type_hints(endpoint, include_extras=True)
    signature = inspect.signature(endpoint)

    def parameter(one: inspect.Parameter) -> inspect.Parameter:
        annotation = hints.get(one.name, one.annotation)
        if not _is_body(annotation):
            return one.replace(annotation=annotation)
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        setattr(endpoint, _ADAPTER, adapter)
        return one.replace(annotation=Annotated[annotation, WrapValidator(_as_json(adapter))])

    parameters = [parameter(one) for one in signature.parameters.values()]
    endpoint.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]


def _is_body(annotation: Any) -> bool:
    classes = [one for one in (annotation, *typing.get_args(annotation)) if inspect.isclass(one)]
    if any(issubclass(one, BaseModel) and not issubclass(one, Body) for one in classes):
        raise TypeError(f"{annotation} is no Body")
    return any(issubclass(one, Body) for one in classes)


def _as_json(adapter: TypeAdapter[Any]) -> Callable[[Any, Callable[[Any], Any]], Any]:
    def validate(value: Any, leniently: Callable[[Any], Any]) -> Any:
        before, found = _validated.get()
        try:
            if before is not value or value is None:
                return adapter.validate_json(json.dumps(value), strict=True)
            if isinstance(found, ValidationError):
                raise found
            return found
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":  # half of a surrogate pair; this says in which field
                return leniently(value)
            raise

    return validate


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """What a name that is given twice means, each reader decides for itself: it is refused."""
    found = dict(members)
    if len(found) < len(members):
        raise json.JSONDecodeError("a name is given twice in one object", "", 0)
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
