"""The API over real connections: the stream of two processes, and whatever a stranger sends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from chassis.service import Service
from herald_contracts import ProgramCreated
from services.metrics import live, queries
from services.metrics.app import build
from services.metrics.schemas.live import LiveView
from services.metrics.settings import MetricsSettings
from tests.bounds import bound
from tests.fuzz import examples
from tests.integration.harness import Harness, eventually
from tests.integration.metrics.test_booking import PROGRAM, shared

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
PERMITTED = timedelta(seconds=bound(2))


def created() -> ProgramCreated:
    at = datetime.now(UTC)
    return ProgramCreated(program_id=PROGRAM, name="P", time_zone="UTC", languages=["fr"], occurred_at=at)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def api_process(harness: Harness) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A process of role `api` as an operator starts it, and its address."""
    port = free_port()
    environment = {
        **os.environ,
        **harness.infra.environment,
        "HERALD_NAMESPACE": harness.namespace,
        "HERALD_PUBLIC_URL": "http://herald.test",
        "HERALD_ISSUER": harness.issuer.url,
        "HERALD_PORT": str(port),
        "HERALD_GRACE": "5",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "herald", "run", "metrics", "api", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:

            async def ready() -> int:
                try:
                    return (await client.get(f"{url}/health/ready")).status_code
                except httpx.TransportError:
                    return 0

            await eventually(ready, until=lambda status: status == 200)
        yield url, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def pushed(lines: AsyncIterator[str]) -> int:
    """The shares of the next pushed figures."""
    async for line in lines:
        if line.startswith('data: {"program_id'):
            return int(json.loads(line[6:])["figures"]["shares"]["value"])
    raise AssertionError("the stream has ended")


async def test_two_processes_push_within_two_seconds_and_end_with_their_process(harness: Harness) -> None:
    service = build(harness.settings(MetricsSettings))
    path = f"/v1/programs/{PROGRAM}/live"
    async with harness.worker(service), api_process(harness) as (one, first), api_process(harness) as (two, second):
        await harness.person("boss", "manager")
        await harness.publish(created())
        await eventually(lambda: service.context.store.program(PROGRAM))
        headers = harness.bearer("boss")
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("GET", one + path, headers=headers) as here,
            client.stream("GET", two + path, headers=headers) as there,
        ):
            assert here.status_code == there.status_code == 200
            streams = [here.aiter_lines(), there.aiter_lines()]
            assert await asyncio.gather(*map(pushed, streams)) == [0, 0]

            async def until(lines: AsyncIterator[str], shares: int) -> timedelta:
                while await pushed(lines) != shares:
                    pass
                return datetime.now(UTC) - began

            for number in range(3):
                began = datetime.now(UTC)
                await harness.publish(shared(number).model_copy(update={"occurred_at": began}))
                delays = await asyncio.gather(*(until(lines, number + 1) for lines in streams))
                assert max(delays) < PERMITTED, delays
            ended = time.monotonic()
            for process in (first, second):
                process.send_signal(signal.SIGTERM)
            for lines in streams:
                assert [line async for line in lines if line.startswith("data: ")] == []
            assert time.monotonic() - ended < bound(2)
            await asyncio.gather(first.wait(), second.wait())
            assert time.monotonic() - ended < bound(15)
    await service.runtime.close()


async def test_who_is_cut_off_hears_no_more(harness: Harness) -> None:
    service = build(harness.settings(MetricsSettings, live_heartbeat=0.05))
    await service.context.store.programs.insert_one({"_id": PROGRAM, "name": "P", "time_zone": "UTC"})
    allowed = True

    async def may_listen() -> bool:
        return allowed

    program = await service.context.store.program(PROGRAM)
    read = partial(queries.live_figures, service.context)
    stream = service.context.live.stream(program, 30, read, may_listen=may_listen)
    assert (await anext(stream)).startswith(b"event: figures")
    allowed = False
    async with asyncio.timeout(60):
        assert [part async for part in stream if part.startswith(b"event: figures")] == []
    await service.runtime.close()


async def test_a_quiet_stream_beats_and_whoever_comes_again_gets_everything(harness: Harness) -> None:
    service = build(harness.settings(MetricsSettings, live_heartbeat=0.05))
    await service.context.store.programs.insert_one({"_id": PROGRAM, "name": "P", "time_zone": "UTC"})
    program = await service.context.store.program(PROGRAM)
    read = partial(queries.live_figures, service.context)
    for _ in range(2):
        stream = service.context.live.stream(program, 7, read)
        async with asyncio.timeout(60):
            found = (await anext(stream)).decode()
            data = json.loads(found.partition("data: ")[2])
            assert LiveView.model_validate(data).figures["shares"].value == 0
            assert len(data["series"]["day"]) == 7
            assert [await anext(stream) for _ in range(2)] == [live.HEARTBEAT] * 2
        await stream.aclose()
    await service.runtime.close()


@pytest.fixture
async def service(borrowed: None, harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(MetricsSettings))
    await found.ensure_indexes()
    await found.context.store.programs.insert_one({"_id": PROGRAM, "name": "P", "time_zone": "Europe/Paris"})
    await found.context.store.principals.insert_one(
        {"_id": "boss", "accounts": [harness.issuer.account("boss")], "roles": ["manager"], "active": True}
    )
    yield found
    await found.runtime.close()


@pytest.fixture
def documented(service: Service) -> tuple[Any, list[Any]]:
    """The application and each operation of its own OpenAPI document; the stream, which never ends, is left out."""
    app: Any = service.asgi()
    schema = schemathesis.openapi.from_dict(app.openapi()).exclude(path_regex="/live$|/deadletters")
    found: list[Any] = list(schema.get_all_operations())
    return app, [one.ok() for one in found]


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_whatever_is_sent_is_answered_as_documented(
    harness: Harness, documented: tuple[Any, list[Any]], data: st.DataObject
) -> None:
    app, operations = documented
    case: Any = data.draw(data.draw(st.sampled_from(operations)).as_strategy())
    if "program_id" in case.path_parameters and data.draw(st.booleans()):
        case.path_parameters["program_id"] = PROGRAM
    asked = case.as_transport_kwargs(base_url="http://herald.test")
    asked["headers"] = {**asked["headers"], **harness.bearer("boss")}
    asked.pop("cookies", None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False)) as client:
        answer = await client.request(
            asked["method"],
            asked["url"],
            params=asked.get("params"),
            headers=asked["headers"],
            json=asked.get("json"),
            content=asked.get("data"),
        )
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize(
    ("params", "field", "rule"),
    [
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from", "range"),
        ({"to": "9999-12-31"}, "to", "range"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to", "order"),
        ({"from": "2001-01-01", "to": "2026-02-01"}, "from", "too-many-days"),
        ({"from": "2026-02-30"}, "from", "day"),
        ({"team": "A", "content_id": "c"}, "content_id", "combination"),
    ],
)
async def test_a_wrong_period_or_slice_is_a_problem(
    harness: Harness, service: Service, params: dict[str, str], field: str, rule: str
) -> None:
    async with harness.api(service) as client:
        answer = await client.get(f"/v1/programs/{PROGRAM}/figures", params=params, headers=harness.bearer("boss"))
        assert answer.status_code == 422
        assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [(field, rule)]
