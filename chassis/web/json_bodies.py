"""JSON bodies as they are written: a value of another type is refused, not turned into what was meant.

`"no"` is no boolean, `"3"` no number and `0` no day; a whole number may stand for a fraction. FastAPI validates what
it has parsed already, and leniently. `strict` has the body of an endpoint validated as JSON.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, WrapValidator


class Body(BaseModel):
    """A request's body: unknown fields and other types are refused, nothing is changed silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class JsonRequest(Request):
    """A request whose JSON is JSON: `NaN` is none, and neither is what is nested too deep to be read."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = json.loads(await self.body(), parse_constant=_no_constant)
            except json.JSONDecodeError:
                raise
            except (ValueError, RecursionError) as error:
                raise json.JSONDecodeError(f"it cannot be read: {type(error).__name__}", "", 0) from None
        return self._json


def strict(endpoint: Callable[..., Any]) -> None:
    """Have the bodies of an endpoint validated strictly. Raises TypeError for a body that is no `Body`."""
    hints = typing.get_type_hints(endpoint, include_extras=True)
    signature = inspect.signature(endpoint)

    def parameter(one: inspect.Parameter) -> inspect.Parameter:
        annotation = hints.get(one.name, one.annotation)
        return one.replace(annotation=_as_json(annotation) if _is_body(annotation) else annotation)

    parameters = [parameter(one) for one in signature.parameters.values()]
    endpoint.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]


def _is_body(annotation: Any) -> bool:
    classes = [one for one in (annotation, *typing.get_args(annotation)) if inspect.isclass(one)]
    if any(issubclass(one, BaseModel) and not issubclass(one, Body) for one in classes):
        raise TypeError(f"{annotation} is no Body")
    return any(issubclass(one, Body) for one in classes)


def _as_json(annotation: Any) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def validate(value: Any, leniently: Callable[[Any], Any]) -> Any:
        try:
            return adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":  # half of a surrogate pair; this says in which field
                return leniently(value)
            raise

    return Annotated[annotation, WrapValidator(validate)]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
