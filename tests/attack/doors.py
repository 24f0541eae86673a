"""All doors: the hub's pages and forms, and the documented operations of the APIs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from services.hub import pages, shell, signin

OPENAPI = Path(__file__).parents[2] / "contracts" / "openapi"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")


@cache
def hub_routes() -> frozenset[tuple[str, str]]:
    """Method and path of every page and form."""
    routers = (shell.router, signin.router, *pages.ROUTERS)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return frozenset((method, route.path) for route in routes for method in route.methods or () if method != "HEAD")


def who_enters(path: str) -> str:
    """A persona who may; some pages are for several."""
    if path.startswith("/editor"):
        return "emma"
    if path.startswith("/manage"):
        return "marc"
    return "ines" if path.startswith("/admin") else "amina"


@cache
def _paths(service: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((OPENAPI / f"{service}.json").read_text())["paths"]
    return found


def media_type(service: str, method: str, path: str) -> str | None:
    """What the operation takes a body as."""
    return next(iter(_paths(service)[path][method.lower()].get("requestBody", {}).get("content", ())), None)


@cache
def api_operations() -> tuple[tuple[str, str, str], ...]:
    """Service, method and path of every documented operation."""
    return tuple(
        (service, method.upper(), path)
        for service in SERVICES
        for path, operations in _paths(service).items()
        for method in operations
    )
