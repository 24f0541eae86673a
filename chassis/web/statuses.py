"""Which statuses an operation answers: in its description, and nowhere else.

What a dependency, a body or a parameter may refuse is derived; what its own command may refuse beyond that, a route
declares: `responses=problems(409)`. An answer that was not declared is sent all the same, and logged as an error,
which fails a test.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

logger = logging.getLogger(__name__)
ALWAYS: Final = (500, 503)
BODY: Final = (400, 413, 415, 422)
F = TypeVar("F", bound=Callable[..., Any])
Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """The entries of an OpenAPI document for refusals with these statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(set(statuses))}


def refuses(*statuses: int) -> Callable[[F], F]:
    """Says of a dependency with which statuses it may refuse a request."""

    def mark(dependency: F) -> F:
        dependency.statuses = statuses  # type: ignore[attr-defined]
        return dependency

    return mark


def refusals(route: APIRoute) -> Responses:
    """What a route may refuse by its parameters, its body and its dependencies."""
    found = set(ALWAYS)
    for one in _tree(route.dependant):
        found.update(getattr(one.call, "statuses", ()))
        if one.path_params:
            found.add(404)
        if one.path_params or one.query_params or one.header_params:
            found.add(422)
    if route.body_field is not None:
        found.update(BODY)
    return problems(*found)


def share_problems(document: dict[str, Any]) -> Responses:
    """Have the operations of an OpenAPI document refer to their refusals; returns these, for its components."""
    shared: Responses = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    shared[status] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return dict(sorted(shared.items()))


def check_declared(route: APIRoute, status: int) -> None:
    """Log an answer that the description of its operation leaves out."""
    if status not in route.responses and status != (route.status_code or 200):
        logger.error("%s %s answers %d, undeclared", "/".join(route.methods or ()), route.path, status)


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _tree(one)
