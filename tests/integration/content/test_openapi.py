"""The API against its own description, over HTTP, by a tool that is not ours."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

from chassis.service import Service
from tests.fuzz import examples
from tests.integration.consumers import refusals
from tests.integration.content.harness import PROGRAM, ContentHarness, order
from tests.integration.content.test_sources import rss
from tests.integration.harness import Harness, eventually

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    use_after_free,
]
CONFIG = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": ["4XX"]}}})
SETTINGS = settings(
    max_examples=examples(6),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@asynccontextmanager
async def over_http(service: Service) -> AsyncIterator[str]:
    """The service's API at an address."""
    server = uvicorn.Server(uvicorn.Config(service.asgi(), port=0, log_level="error", lifespan="off"))
    serving = asyncio.ensure_future(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def test_the_api_keeps_to_its_description(harness: Harness, content: ContentHarness) -> None:
    document = content.service.asgi().openapi()  # type: ignore[attr-defined]
    validate(document)
    item = (await content.published())["id"]
    await content.post("/items", order())
    feed = (await content.upload(f"/feeds/file?program_id={PROGRAM}&language=en", rss("a"))).json()["id"]
    there, turn, answers = {"item_id": item, "feed_id": feed}, count(), Counter[int]()
    async with over_http(content.service) as address:
        schema: Any = schemathesis.openapi.from_dict(document, config=CONFIG).exclude(path_regex="/deadletters")
        for found in schema.get_all_operations():
            for mode in GenerationMode:

                def call(case: Any) -> None:
                    well_made = case.meta.generation.mode is GenerationMode.POSITIVE
                    if well_made and next(turn) % 2 and case.method != "DELETE":
                        case.path_parameters.update({name: there[name] for name in case.path_parameters})
                    case.headers.update(harness.bearer("editor"))
                    answer = case.call(base_url=address, headers=harness.bearer("editor"))
                    # A list for a text is the parameter several times, of which the last one counts.
                    several = any(isinstance(one, list) for one in (case.query or {}).values())
                    checks = [one for one in CHECKS if not (several and one is negative_data_rejection)]
                    case.validate_response(answer, checks=checks)
                    answers[answer.status_code] += 1

                tried = given(case=found.ok().as_strategy(generation_mode=mode))(call)
                await asyncio.to_thread(settings(SETTINGS)(tried))
    assert sum(answers.values()) > 200
    assert {200, 201, 404, 409, 412, 422, 428} <= set(answers), answers
    assert await refusals(content.service, harness.infra, f"{harness.namespace}-others") == []
