"""The right of a route, asked for before the body of a request is read: a caller without it learns nothing of how their
body would fare, and sends it for nothing."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from chassis.web.admission import Authorize, problem_response
from chassis.web.http import check_right
from chassis.web.problems import Problem
from chassis.web.rights import ANYONE, right_of

Right = tuple[tuple[str, ...], bool]


def right_of_route(app: FastAPI) -> Authorize:
    """Admits those who may call the route of their request; where there is none, whoever has a token of our issuer.

    A right that depends on what the body says, such as a role in the programme that it names, is asked for by the
    route's command.
    """

    @cache
    def rights() -> list[tuple[RouteContext, Right]]:
        return [(context, right_of(context.original_route)) for context in iter_route_contexts(app.routes)]

    async def authorize(scope: Scope) -> Response | None:
        scope.setdefault("state", {})  # what is looked up here, the route need not look up again
        request, (words, somewhere) = _routed(scope, rights())
        try:
            await check_right(request, words, somewhere=somewhere)
        except Problem as problem:
            return problem_response(problem)
        return None

    return authorize


def _routed(scope: Scope, rights: list[tuple[RouteContext, Right]]) -> tuple[Request, Right]:
    """The request as its route sees it, and the route's right."""
    for context, right in rights:
        match, child = context.matches(scope)
        if match is Match.FULL:
            return Request({**scope, **child, "route": context.original_route}), right
    return Request(scope), ((ANYONE,), False)
