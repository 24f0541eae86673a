"""The API against its own description, by a tool that is not ours."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz import examples
from tests.integration.sharing.conftest import SharingHarness

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


async def test_the_api_keeps_to_its_description(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ana", "manager")
    document = (await sharing.api.get("/openapi.json")).json()
    validate(document)
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="/deadletters")
    calls: list[Any] = []
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]

        @settings(max_examples=examples(5), suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def collect(case: Any) -> None:
            calls.append(case)

        await asyncio.to_thread(collect)
    answered = Counter[int]()
    for case in calls:
        request = case.as_transport_kwargs(base_url="http://herald.test", headers=headers)
        request.pop("cookies", None)
        try:
            answer = await sharing.api.request(**request)
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue
        case.validate_response(answer, checks=CHECKS)
        answered[answer.status_code] += 1
    assert answered.total() > 40
    assert {200, 404, 422} <= answered.keys()
