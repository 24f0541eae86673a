"""The API against its own description, by a tool that is not ours."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate

from tests.integration.sharing.conftest import Scene


async def test_the_api_keeps_to_its_description(scene: Scene) -> None:
    headers = await scene.ambassador("ana", "manager")
    document = (await scene.api.get("/openapi.json")).json()
    validate(document)
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="/deadletters")
    calls: list[tuple[str, Any]] = []
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]

        @settings(max_examples=8, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def collect(case: Any) -> None:
            calls.append((case.method, case))

        await asyncio.to_thread(collect)
    assert len(calls) > 40
    for _, case in calls:
        request = case.as_transport_kwargs(base_url="http://herald.test", headers=headers)
        request.pop("cookies", None)
        try:
            answer = await scene.api.request(**request)
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue
        assert answer.status_code < 500, (case, answer.text)
        if answer.is_error:
            assert answer.headers["content-type"].startswith("application/problem+json")
