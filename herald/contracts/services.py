"""The services as they declare themselves: their HTTP interfaces, and the events that they consume."""

from __future__ import annotations

import base64
import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_type_hints

from fastapi import FastAPI

from chassis.service import Service
from herald.local.credentials import NAMES as SECRETS
from herald.local.plan import SERVICES, Addresses

PLACEHOLDERS = {
    **Addresses("127.0.0.1:1", "mongodb://127.0.0.1:1", "redis://127.0.0.1:1", "http://127.0.0.1:1").environment,
    **dict.fromkeys(SECRETS, base64.urlsafe_b64encode(bytes(32)).decode()),
    "HERALD_RECRUITING_SECRETS": f"whsec_{base64.b64encode(bytes(32)).decode()}",
}


def openapi_documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each service, by its name."""
    found = {}
    for name in SERVICES:
        if importlib.util.find_spec(f"services.{name}.app") is not None:
            with built(name) as service:
                app = service.asgi()
                if isinstance(app, FastAPI):
                    found[name] = app.openapi()
    return found


def consumed() -> dict[str, set[str]]:
    """The CloudEvents types that each service handles, by its name."""
    found = {}
    for name in SERVICES:
        if importlib.util.find_spec(f"services.{name}.app") is not None:
            with built(name) as service:
                events = service.consumer.events if service.consumer else ()
                found[name] = {event.type for event in events}
    return found


@contextmanager
def built(name: str) -> Iterator[Service]:
    """The service from its composition root, with placeholders for what its settings require; connects nowhere."""
    build = importlib.import_module(f"services.{name}.app").build
    settings_class = get_type_hints(build)["settings"]
    required = {
        field: PLACEHOLDERS[f"HERALD_{field.upper()}"]
        for field, info in settings_class.model_fields.items()
        if info.is_required()
    }
    service: Service = build(settings_class(**required))
    try:
        yield service
    finally:
        service.runtime.telemetry.close()
