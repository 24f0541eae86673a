"""`herald run SERVICE ROLE`: one role of one service, or all of them, as one process."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
from typing import Annotated, Any, get_type_hints

import typer
from pydantic import ValidationError

from chassis.process import WORKS_FAST, run_process, worker_app
from chassis.service import Background, Role, Service
from chassis.settings import SettingsError, faults
from chassis.web.prefix import Prefix

SERVICES = ("program", "content", "sharing", "gamification", "metrics", "hub")
WORKERS = SERVICES[:-1]


def load(name: str) -> Service:
    """The service, built from the environment. Raises typer.Exit after naming what is missing or wrong."""
    build = importlib.import_module(f"services.{name}.app").build
    settings_class = get_type_hints(build)["settings"]
    try:
        settings = settings_class()
    except ValidationError as error:
        for fault in faults(error):
            typer.echo(f"{name}: {fault}", err=True)
        raise typer.Exit(2) from None
    try:
        service: Service = build(settings)
    except SettingsError as error:
        typer.echo(f"{name}: {error}", err=True)
        raise typer.Exit(2) from None
    return service


def run(
    service: Annotated[str, typer.Argument(help=f"one of {', '.join(SERVICES)}, or all, or gateway")],
    role: Annotated[str, typer.Argument(help="api, worker, or (sharing) links")],
) -> None:
    """Run one role of a service until SIGTERM."""
    gc.disable()  # until `run_process`: to look for garbage in what is imported takes a fifth of the start
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    if service == "gateway" or (service == "all" and role == "api"):
        from herald.development.gateway import run_gateway

        run_gateway([load(name) for name in SERVICES] if service == "all" else [])
        return
    names = WORKERS if service == "all" else (service,)
    if any(name not in SERVICES for name in names):
        typer.echo(f"there is no service {service}; there are {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    services = [load(name) for name in names]
    if role == "worker":
        _run(services, worker_app(services), {f"{one.name} worker": one.work for one in services}, young=WORKS_FAST)
    elif role == "api":
        app = services[0].asgi()
        _run(
            services,
            app if service == "hub" else Prefix(app, f"/api/{service}"),
            {f"{service} api": services[0].serve_api},
        )
    elif role in services[0].roles:
        part = services[0].roles[role]()
        _run(
            services,
            part.app,
            {f"{service} {role}": _living(part)},
            protocol=part.protocol,
            last_seconds=part.last_seconds,
        )
    else:
        typer.echo(f"{service} has no role {role}", err=True)
        raise typer.Exit(2)


def _living(part: Role) -> Background:
    async def live(stop: asyncio.Event) -> None:
        await part.start()
        await stop.wait()
        await part.stop()

    return live


def _run(services: list[Service], app: object, beside: dict[str, Background], **options: Any) -> None:
    settings = services[0].runtime.settings
    run_process(
        app,  # type: ignore[arg-type]
        host=settings.host,
        port=settings.port,
        grace=settings.grace,
        limits=settings.http_limits,
        services=services,
        beside=beside,
        **options,
    )
