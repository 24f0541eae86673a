"""Every operation of every API: which statuses it declares, and that no value of another type is taken for its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from chassis.principals import Principal
from chassis.web import http
from chassis.web.tokens import Token
from herald.contracts.services import built
from herald.local.plan import SERVICES

APIS = [name for name in SERVICES if name != "hub"]
WRONG: dict[str, list[Any]] = {
    "boolean": [0, 1, "no", "true", 1.0],
    "integer": ["1", True, 1.5],
    "number": ["1", True],
    "string": [0, True, 1.5],
    "day": [0, "0", "1700000000", "2026-03-02T00:00:00", "2026-02-30", "2026-3-2"],
    "moment": [0, "0", "1700000000", "2026-03-02", "2026-03-02T09:14:31"],
    "array": [{}, "x"],
    "object": [[], "x"],
}
DEVICE = "device"
LOOKED_UP = {
    "content": (("store", "program_of_item"), ("store", "get_source")),
    "sharing": (("own_visits", "note"),),
}
"""What dependencies ask of the database before a body is read."""
HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}
Path = tuple[str | int, ...]


class Everything(frozenset[str]):
    """Every role and scope there is."""

    def isdisjoint(self, other: Any) -> bool:
        return False

    def union(self, *_: Any) -> Everything:
        return self


class Everybody:
    """Knows every account as somebody with every role."""

    async def find(self, _: str) -> Principal:
        return Principal(id="x", roles=Everything())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def kind(schema: dict[str, Any]) -> str:
    found = str(schema.get("type", ""))
    return {"date": "day", "date-time": "moment"}.get(schema.get("format", ""), found) if found == "string" else found


def wrong_values(schema: dict[str, Any], defs: dict[str, Any], value: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Where a body may be wrong, as the steps to the place, and what would be wrong there."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        yield from wrong_values({**options[0], "description": ""}, defs, value)
        return
    for wrong in WRONG.get(kind(schema), ()):
        yield value, wrong
    for name, one in schema.get("properties", {}).items():
        yield from wrong_values(one, defs, (*value, name))
    if schema.get("type") == "array":
        yield from wrong_values(schema["items"], defs, (*value, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from wrong_values(schema["additionalProperties"], defs, (*value, "FR"))


def nested(steps: Path, value: Any) -> Any:
    for step in reversed(steps):
        value = [value] if isinstance(step, int) else {step: value}
    return value


async def answer(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    filled = path.replace("{version}", "1").replace("{", "").replace("}", "")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        device = {"Authorization": f"Bearer {DEVICE}"} if path.startswith("/v1/device") else {}
        return await client.request(method, filled, headers={**HEADERS, **device}, **request)


@pytest.fixture(scope="module", params=APIS)
def app(request: pytest.FixtureRequest) -> Iterator[FastAPI]:
    """The API of a service, for a caller who may do everything; there is nothing behind it."""
    with built(request.param) as service, pytest.MonkeyPatch.context() as patch:
        token = Token("account", {"sub": "x", "exp": 2e10})

        async def verify(text: str) -> Token:
            return replace(token, device=text == DEVICE)

        async def hit(*_: Any) -> None: ...

        service.runtime.tokens.verify = verify  # type: ignore[method-assign]
        service.runtime.rate_limits.hit = hit  # type: ignore[method-assign, assignment]
        service.runtime.rate_limits.hit_locally = hit  # type: ignore[method-assign, assignment]
        found = service.asgi()
        assert isinstance(found, FastAPI)
        found.state.principals = Everybody()
        for place, name in LOOKED_UP.get(request.param, ()):
            patch.setattr(getattr(service.context, place), name, AsyncMock())
        yield found


def test_each_operation_declares_its_very_statuses(app: FastAPI) -> None:
    shared = app.openapi()["components"]["responses"]
    assert all(list(one["content"]) == ["application/problem+json"] for one in shared.values())
    for method, path, operation in operations(app.openapi()):
        declared = {int(status) for status in operation["responses"]}
        assert min(declared) < 300, (method, path)
        # Who has the link of a mail, a calendar or a referral needs no token.
        own = {404} if operation["security"] == [{"HTTPBearer": ["anyone"]}] else {401}
        assert {*own, 422, 500, 503} <= declared, (method, path)
        assert ("requestBody" in operation) == (415 in declared), (method, path)
        refused = {status for status, one in operation["responses"].items() if "$ref" in one}
        assert refused == {str(status) for status in declared if status >= 400}, (method, path)


async def test_no_body_is_taken_for_another_type(app: FastAPI) -> None:
    document = app.openapi()
    tried = 0
    for method, path, operation in operations(document):
        if operation["security"] == [{"HTTPBearer": ["signature"]}]:
            continue  # what is not signed is refused before its body is read
        content = operation.get("requestBody", {}).get("content", {})
        if content.get("application/json", {"schema": {"format": "binary"}})["schema"].get("format") == "binary":
            continue
        for steps, value in wrong_values(content["application/json"]["schema"], document["components"]["schemas"]):
            response = await answer(app, method, path, json=nested(steps, value))
            assert response.status_code == 422, (method, path, steps, value, response.text)
            fields = [error["field"] for error in response.json()["errors"]]
            place = ".".join(map(str, steps)) or "body"
            assert any(f"{field}.".startswith(f"{place}.") for field in fields), (method, path, steps, value, fields)
            tried += 1
    assert tried > 20


async def test_no_parameter_is_taken_for_a_day(app: FastAPI) -> None:
    for method, path, operation in operations(app.openapi()):
        for parameter in operation.get("parameters", ()):
            schemas = [parameter["schema"], *parameter["schema"].get("anyOf", ())]
            for value in {value for schema in schemas if kind(schema) == "day" for value in WRONG["day"]}:
                response = await answer(app, method, path, params={parameter["name"]: value})
                fields = [error["field"] for error in response.json().get("errors", ())]
                assert parameter["name"] in fields, (method, path, value, response.text)


async def test_what_is_no_json_is_malformed(app: FastAPI) -> None:
    method, path, _ = next(
        one
        for one in operations(app.openapi())
        if "application/json" in one[2].get("requestBody", {}).get("content", {})
    )
    for body in (b'{"x": NaN}', b"[" * 3000, b'{"x": ' + b"9" * 5000 + b"}", b"{", b"\xff", b'{"x": 1, "x": 1}'):
        response = await answer(app, method, path, content=body)
        assert (response.status_code, response.json()["type"]) == (400, "malformed-json"), body[:20]


def test_a_body_that_is_no_body_is_refused_at_the_start() -> None:
    class Lenient(BaseModel):
        n: int

    async def endpoint(order: Lenient) -> None: ...

    endpoint.__annotations__["order"] = Lenient
    with pytest.raises(TypeError, match="no Body"):
        http.Router().post("/x")(endpoint)
