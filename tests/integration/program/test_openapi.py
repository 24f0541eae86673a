"""The API keeps what its OpenAPI document says, tried by schemathesis on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.fuzz import examples
from tests.integration.consumers import refusals
from tests.integration.program.conftest import GUIDELINES, OBJECTIVE, ProgramHarness

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
EXAMPLES = examples(2)
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def bad_bodies_are_refused(context: Any, response: Any, case: Any) -> Any:
    """The tool's own check, where it says something: headers are overwritten by the caller's token, and a version
    that does not hold is told (412) before the body is looked at."""
    body = case.meta.components.get(ParameterLocation.BODY)
    if body is None or body.mode is GenerationMode.POSITIVE or response.status_code == 412:
        return None
    return negative_data_rejection(context, response, case)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def try_out(document: dict[str, Any], url: str, headers: dict[str, str], mode: GenerationMode) -> int:
    """Calls every operation with generated requests; how many. Raises what the checks find."""
    calls = 0
    checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, bad_bodies_are_refused]
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @QUIET
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            nonlocal calls
            calls += 1
            case.call_and_validate(base_url=url, headers=headers, checks=checks)

        one()
    return calls


def with_real_ids(document: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """The document with path parameters that name what there is, so that calls get beyond 404."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in ids:
                    parameter["schema"] = {"type": "string", "enum": [ids[parameter["name"]]]}
    return document


@schemathesis.serializer("text/csv", "message/rfc822")
def as_text(_: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "replace")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_the_api_keeps_to_its_document(program: ProgramHarness, mode: GenerationMode) -> None:
    app = program.service.asgi()
    assert isinstance(app, FastAPI)
    document = app.openapi()
    if mode is GenerationMode.POSITIVE:  # the same document in both
        validate(document)
    await program.sign_in("ada")
    await program.sign_in("all", "editor", "manager", "admin")
    program_id = await program.create_program(open=True)
    await program.ok("max", "POST", f"/programs/{program_id}/guidelines", {"texts": GUIDELINES})
    await program.ok("max", "POST", f"/programs/{program_id}/objectives", OBJECTIVE)
    preview = (await program.upload("email,name,country,team\nbob@x.example,Bob,FR,IT\n")).json()
    text = {"title": "First post", "text": "Two taps."}
    lesson = await program.ok("max", "POST", f"/programs/{program_id}/lessons", {"texts": {"fr": text, "en": text}})
    await program.ok("max", "POST", f"/programs/{program_id}/lessons/{lesson['id']}/publish")
    ids = {"person_id": program.ids["ada"], "program_id": program_id, "import_id": preview["id"]}
    ids["lesson_id"] = lesson["id"]
    async with served(app) as url:
        headers = program.harness.bearer("all")
        calls = await asyncio.to_thread(try_out, with_real_ids(document, ids), url, headers, mode)
    assert calls > 100
    assert await refusals(program.service, program.harness.infra, f"{program.harness.namespace}-others") == []
