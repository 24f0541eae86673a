"""One process: an HTTP address, what runs beside it, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import uvicorn
from fastapi import FastAPI, Request, Response
from opentelemetry.metrics import CallbackOptions, Observation
from starlette.types import ASGIApp

from chassis.service import Background, Service
from chassis.settings import HttpLimits
from chassis.supervisor import Supervisor
from chassis.tasks import run_bounded
from chassis.telemetry.logs import configure_logging
from chassis.telemetry.otlp_logs import ship_logs
from chassis.web.app import health_response, metrics_response
from chassis.web.protocol import BoundedHttpProtocol, bounded, close_overdue

logger = logging.getLogger(__name__)
LAG_EVERY = 0.5
ANSWERS_SOON, WORKS_FAST = 2_000, 50_000


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def worker_app(services: Sequence[Service]) -> ASGIApp:
    """Health and metrics of a process that offers nothing else."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.get("/health/live")
    async def live() -> Response:
        return health_response([f"{service.name}: {reason}" for service in services for reason in service.stuck()])

    @app.get("/health/ready")
    async def ready() -> Response:
        found = await asyncio.gather(*(service.unready() for service in services))
        return health_response(
            [f"{one.name}: {reason}" for one, all_ in zip(services, found, strict=True) for reason in all_]
        )

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        return await metrics_response([service.runtime.telemetry for service in services], request)

    return app


def run_process(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    grace: float,
    services: Sequence[Service],
    beside: Mapping[str, Background],
    limits: HttpLimits,
    protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol,
    young: int = ANSWERS_SOON,
    last_seconds: float = 0.0,
) -> None:
    """Serve `app` and keep what is `beside` running until SIGTERM or SIGINT; then end within `grace` seconds, and so
    many `last_seconds` more where what is beside needs them.

    `young`: how many new objects the garbage collector lets be, `ANSWERS_SOON` or `WORKS_FAST`.
    """
    configure_logging()
    shipped = ship_logs(services)
    _allow_connections()
    import uvloop

    try:
        uvloop.run(_process(app, host, port, grace, services, beside, bounded(protocol, limits), young, last_seconds))
    finally:
        if shipped is not None:
            shipped.close()


async def _process(
    app: ASGIApp,
    host: str,
    port: int,
    grace: float,
    services: Sequence[Service],
    beside: Mapping[str, Background],
    protocol: type[BoundedHttpProtocol],
    young: int,
    last_seconds: float,
) -> None:
    stop = asyncio.Event()
    _sweep_seldom(young)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    supervisor = services[0].runtime.supervisor if services else Supervisor()
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            http=protocol,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=int(max(1, grace / 3)),
            proxy_headers=False,
            server_header=False,
        )
    )
    listener = _listen(host, port)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    tasks = [supervisor.start(name, partial(run, stop), stop) for name, run in beside.items()]
    tasks.append(supervisor.start("loop lag", partial(_measure_lag, _lag_gauge(services), stop), stop))
    connections = server.server_state.connections
    tasks.append(supervisor.start("slow clients", partial(close_overdue, connections, stop), stop))
    serving.add_done_callback(lambda _: stop.set())
    await stop.wait()
    broken = serving.done()
    if broken:
        logger.error("the HTTP server ended by itself", exc_info=None if serving.cancelled() else serving.exception())
    _end_at_last(grace + last_seconds)
    server.should_exit = True
    ending = asyncio.ensure_future(supervisor.end(*tasks, within=grace * 0.65 + last_seconds))
    await asyncio.wait([serving, ending], timeout=grace * 2 / 3 + last_seconds)
    closing = asyncio.gather(*(service.runtime.close() for service in services), return_exceptions=True)
    with contextlib.suppress(TimeoutError):
        await run_bounded(grace / 4, closing)
    if broken:
        sys.exit(1)


def _end_at_last(grace: float) -> None:
    """Whatever still hangs after the grace, in a thread or in a task that will not be cancelled, is given up."""

    def end() -> None:
        logger.error("not everything ended within %.0f s", grace)
        os._exit(1)

    last = threading.Timer(grace, end)
    last.daemon = True
    last.start()


def _allow_connections() -> None:
    """As many open files as this process may have: many systems begin with a thousand, which slow clients use up."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _sweep_seldom(young: int) -> None:
    """What was imported is never garbage: to look through it again and again takes longer than most batches do.

    What is new is looked through once there are so many `young` objects, at half a microsecond each; all wait for it.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(young, 10, 100)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}")
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def _lag_gauge(services: Sequence[Service]) -> list[float]:
    """The worst lateness of the event loop since the last look, which `/metrics` shows and forgets."""
    worst = [0.0]

    def observe(_: CallbackOptions) -> list[Observation]:
        value, worst[0] = worst[0], 0.0
        return [Observation(value)]

    if services:
        services[0].runtime.telemetry.meter.create_observable_gauge(
            "herald.loop.lag", callbacks=[observe], unit="s", description="Worst lateness of the event loop"
        )
    return worst


async def _measure_lag(worst: list[float], stop: asyncio.Event) -> None:
    """How late the event loop wakes up: the first sign of work that blocks it."""
    while not stop.is_set():
        asked = time.monotonic()
        await asyncio.sleep(LAG_EVERY)
        worst[0] = max(worst[0], time.monotonic() - asked - LAG_EVERY)
