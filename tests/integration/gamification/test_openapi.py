"""The HTTP interface against its own description, by a tool that is not ours."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from chassis.service import Service
from tests.fuzz import examples
from tests.integration.gamification.harness import PROGRAM
from tests.integration.gamification.test_api import prepared
from tests.integration.harness import Harness

CHECKS: list[Any] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
# 412 is how an If-Match that is no version is refused.
REFUSALS = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "428"]
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})


async def test_the_interface_is_as_described(harness: Harness, service: Service) -> None:
    async with prepared(harness, service) as client:
        document = (await client.get("/openapi.json")).json()
        OpenAPIV31SpecValidator(document).validate()
        cases = await asyncio.to_thread(collect, document)
        assert {case.operation.label for case in cases} == {
            f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method in methods
            if "/deadletters" not in path
        }
        await service.runtime.mongo.db["principals"].update_one(
            {"_id": "mia"}, {"$set": {"roles": ["manager", "admin"]}}
        )
        answered = set()
        for case in cases:
            request = case.as_transport_kwargs(base_url="http://herald.test", headers=harness.bearer("mia"))
            request.pop("cookies", None)
            try:
                answer = await client.request(**request)
            except (httpx.InvalidURL, UnicodeEncodeError):
                continue
            case.validate_response(answer, checks=CHECKS)
            answered.add(answer.status_code)
        assert {200, 404, 422, 428} <= answered


def collect(document: dict[str, Any]) -> list[Any]:
    """Requests as the description allows, and as it does not, of each operation."""
    cases: list[Any] = []
    schema = schemathesis.openapi.from_dict(document, config=CONFIG).exclude(path_regex="/deadletters")
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        known = {"program_id": PROGRAM} if "{program_id}" in operation.path else None
        for mode in GenerationMode:
            for path_parameters in (None, known):

                @settings(max_examples=examples(3), suppress_health_check=list(HealthCheck), database=None)
                @given(operation.as_strategy(mode, path_parameters=path_parameters))
                def take(case: Any) -> None:
                    cases.append(case)

                take()
    return cases
