"""What a route asks of its caller: named where the route is declared, and read from there for the table of rights.

A need is the role of a person (`editor`), the scope of a machine client (`herald:metrics:read`), or one of the words
below. A route with several needs is for whoever meets one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from fastapi import Depends, FastAPI, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_typed_signature
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from chassis.principals import Principal
from chassis.web.problems import Forbidden

ANYONE = "anyone"
"""No token is asked for."""
SIGNED = "signature"
"""No token is asked for: the body carries a signature by a secret that both sides know."""
ACCOUNT = "account"
"""A person's token, whether the person is known here or not."""
DEVICE = "device"
"""A browser with a device token, whether it was let in or not."""
PERSON = "person"
"""Any person who is known here and did not leave."""
SCOPE_PREFIX = "herald:"
"""Scopes of machine clients. None of them is a role of persons."""
_SCOPE = re.compile(rf"{SCOPE_PREFIX}[a-z]+:(read|write)")
_ATTRIBUTE = "herald_needs"
_SOMEWHERE = "herald_somewhere"
F = TypeVar("F", bound=Callable[..., Any])


def needs(*words: str, somewhere: bool = False) -> Callable[[F], F]:
    """Marks the dependency by which a route asks this of its caller; with `somewhere` in any programme."""
    wrong = [word for word in words if word.startswith(SCOPE_PREFIX) and not _SCOPE.fullmatch(word)]
    if wrong or not words:
        raise ValueError(f"no scopes: {wrong}" if wrong else "a need is missing")

    def mark(dependency: F) -> F:
        setattr(dependency, _ATTRIBUTE, words)
        setattr(dependency, _SOMEWHERE, somewhere)
        return dependency

    return mark


@needs(ANYONE)
async def _anyone() -> None:
    return


FOR_ANYONE: Any = Depends(_anyone)
"""The dependency of routes that ask nothing of their caller."""


@needs(SIGNED)
async def _signed() -> None:
    return


FOR_SIGNED: Any = Depends(_signed)
"""The dependency of routes that check a signature of the body: `chassis.web.signatures`."""


def rights_in(endpoint: Callable[..., Any]) -> list[Any]:
    """The dependencies of an endpoint by which it asks something of its caller, directly or by what they stand on."""
    return [Depends(one) for one in _dependencies(endpoint) if _asks(one)]


@cache
def _asks(dependency: Callable[..., Any]) -> bool:
    return hasattr(dependency, _ATTRIBUTE) or any(_asks(one) for one in _dependencies(dependency))


def _dependencies(call: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Read from the signature alone: what FastAPI makes of each parameter takes a hundred times as long."""
    for parameter in get_typed_signature(call).parameters.values():
        for one in (parameter.default, *getattr(parameter.annotation, "__metadata__", ())):
            if isinstance(one, params.Depends) and one.dependency is not None:
                yield one.dependency


def rights_of(app: FastAPI) -> dict[tuple[str, str], tuple[str, ...]]:
    """What each operation needs, by path and method.

    Raises LookupError for a route that names nothing, or several different things.
    """
    return {
        (str(context.path_format or context.path), method): right_of(context.original_route)[0]
        for context in iter_route_contexts(app.routes)
        for method in sorted(context.methods or ())
    }


def right_of(route: BaseRoute) -> tuple[tuple[str, ...], bool]:
    """What a route needs, and whether in any programme. Raises LookupError as `rights_of`."""
    if not isinstance(route, APIRoute):  # the OpenAPI document and files: what has no dependencies
        return (ANYONE,), False
    found = dict(_marks(route.dependant))
    if len(found) > 1:
        found.pop((ANYONE,), None)
    if len(found) != 1:
        raise LookupError(f"{', '.join(sorted(route.methods or ()))} {route.path} names {sorted(found) or 'no right'}")
    return found.popitem()


def _marks(dependant: Dependant) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The outermost marks: what a dependency asks for goes before what it stands on."""
    for dependency in dependant.dependencies:
        words: tuple[str, ...] | None = getattr(dependency.call, _ATTRIBUTE, None)
        if words is not None:
            yield words, getattr(dependency.call, _SOMEWHERE)
        else:
            yield from _marks(dependency)


def meets(caller: Principal, words: tuple[str, ...]) -> bool:
    """Whether a caller is one of those that a route is for."""
    if caller.machine:
        return not caller.scopes.isdisjoint(words)
    return PERSON in words or not caller.roles.isdisjoint(words)


def refusal(caller: Principal, words: tuple[str, ...]) -> Forbidden:
    """What a caller is told who is none of those."""
    scopes = [word for word in words if word.startswith(SCOPE_PREFIX)]
    roles = [word for word in words if word not in scopes]
    if not caller.machine:
        return Forbidden(f"This needs the role {' or '.join(roles)}.", type_="role-missing", roles=roles)
    if not scopes:
        return person_needed()
    return Forbidden(f"This needs the scope {' or '.join(scopes)}.", type_="scope-missing", scopes=scopes)


def person_needed() -> Forbidden:
    return Forbidden("This is for persons, not for machines.", type_="person-needed")
