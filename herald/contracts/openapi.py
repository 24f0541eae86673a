"""The OpenAPI document of each service that has an HTTP interface."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

SERVICES = ("content", "gamification", "metrics", "program", "sharing")


def openapi_documents() -> dict[str, dict[str, Any]]:
    """By service. Builds each application without a server: nothing is connected."""
    found = {}
    for service in SERVICES:
        name = f"services.{service}.app"
        if importlib.util.find_spec(name) is not None:
            found[service] = importlib.import_module(name).openapi_document()
    return found
