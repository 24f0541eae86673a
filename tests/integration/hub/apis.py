"""The APIs played by their own descriptions: any call that they know is answered as they promise, and no other."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

from tests.integration.hub.harness import ME, PROGRAMS, SERVICES, URL

OPENAPI = Path(__file__).parents[3] / "contracts" / "openapi"
Json = Any
Place = tuple[str | int, ...]
ISSUER = f"{URL}/issuer"
LONG = "W" * 5000
WORST: dict[str, list[Json]] = {
    "string": [
        "",
        "https://[/x",
        "javascript:alert(1)",
        "\x00\u202e\r\n",
        "<script>{{ x }}</script>",
        LONG,
        "../x?y#z%",
    ],
    "moment": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
    "day": ["0001-01-01", "9999-12-31"],
    "integer": [0, -1, 2**63 - 1],
    "number": [0, -1e300, 1e300, 1e-300],
    "boolean": [True, False],
    "array": [[]],
    "map": [{}, {"": "x"}],
}
"""The worst that a field of each kind can have stored, as far as an API's own description lets it out."""
PLAIN: dict[str, Json] = {
    "string": "some words",
    "moment": "2026-03-02T09:30:00Z",
    "day": "2026-03-02",
    "integer": 3,
    "number": 0.5,
    "boolean": True,
}
SAID = {
    "language": "fr", "locale": "fr", "country": "FR", "network": "linkedin", "kpi": "shares", "state": "previewed",
    "currency": "EUR", "url": "https://www.example.com/x", "phase": "preview",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of an API: the pattern of its path, its query's names, and its good answer."""

    service: str
    method: str
    template: str
    query: frozenset[str]
    status: int
    schema: dict[str, Json]
    defs: dict[str, Json]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.template)), re.DOTALL)

    def answer(self) -> Json:
        """What it answers where nothing is odd: two of each list, so that one can be odd beside the other."""
        return made(self.schema, self.defs)

    @cached_property
    def usual(self) -> bytes:
        """The same, as JSON."""
        return json.dumps(self.answer()).encode()


@cache
def operations_of(service: str, method: str) -> tuple[Operation, ...]:
    return tuple(one for one in operations() if (one.service, one.method) == (service, method))


def operation_for(request: httpx.Request) -> Operation | None:
    """The operation that a request calls, if there is one."""
    path = unquote(request.url.raw_path.decode().partition("?")[0])
    known = operations_of(request.url.host, request.method)
    return next((one for one in known if one.pattern.fullmatch(path)), None)


@cache
def operations() -> tuple[Operation, ...]:
    found = []
    for service in SERVICES:
        document = json.loads((OPENAPI / f"{service}.json").read_text())
        for template, methods in document["paths"].items():
            for method, one in methods.items():
                status, good = next((int(code), answer) for code, answer in one["responses"].items() if code < "3")
                schema = good.get("content", {}).get("application/json", {}).get("schema", {})
                query = {one["name"] for one in one.get("parameters", ()) if one["in"] == "query"}
                defs = document["components"]["schemas"]
                found.append(Operation(service, method.upper(), template, frozenset(query), status, schema, defs))
    return tuple(sorted(found, key=lambda one: one.template.count("{")))


def kind(schema: dict[str, Json]) -> str:
    if "properties" in schema:
        return "object"
    if schema.get("type") == "object":
        return "map"
    if "enum" in schema or "const" in schema:
        return "word"
    return {"date": "day", "date-time": "moment"}.get(schema.get("format", ""), str(schema.get("type", "")))


def resolved(schema: dict[str, Json], defs: dict[str, Json]) -> dict[str, Json]:
    if "$ref" in schema:
        return resolved(defs[schema["$ref"].rpartition("/")[2]], defs)
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return resolved(options[0], defs) if options else schema


def made(schema: dict[str, Json], defs: dict[str, Json], name: str = "", number: int = 0) -> Json:
    """A plain value of a schema."""
    schema = resolved(schema, defs)
    match kind(schema):
        case "object":
            return {key: made(one, defs, key, number) for key, one in schema["properties"].items()}
        case "map":
            inner = schema.get("additionalProperties")
            keys = resolved(schema.get("propertyNames", {}), defs).get("enum", ("fr", "en"))
            return {key: made(inner, defs, key) for key in keys} if isinstance(inner, dict) else {}
        case "array":
            return [made(schema["items"], defs, name, index) for index in range(2)]
        case "word":
            return schema.get("const", schema.get("enum", [""])[0])
        case "string" if "x-known-values" in schema:
            return SAID.get(name, schema["x-known-values"][0])
        case "string" if name == "id" or name.endswith("_id"):
            return f"{name}-{number}"
        case "string":
            return SAID.get(name, PLAIN["string"])
        case other:
            return PLAIN.get(other)


def places(schema: dict[str, Json], defs: dict[str, Json], at: Place = ()) -> Iterator[tuple[Place, list[Json]]]:
    """Each field that is stored, with the worst that it may hold; of a list, its first."""
    nullable = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    schema = resolved(schema, defs)
    worst = [*WORST.get(kind(schema), ()), *([None] if nullable else [])]
    if at and worst:
        yield at, worst
    match kind(schema):
        case "object":
            for name, one in schema["properties"].items():
                yield from places(one, defs, (*at, name))
        case "array":
            yield from places(schema["items"], defs, (*at, 0))
        case "map" if isinstance(schema.get("additionalProperties"), dict):
            yield from places(schema["additionalProperties"], defs, (*at, "fr"))


def changed(document: Json, place: Place, value: Json) -> Json:
    """A copy with another value at a place, if there is such a place."""
    found = copy.deepcopy(document)
    inner = found
    for step in place[:-1]:
        if not inner or (isinstance(step, str) and step not in inner):
            return found
        inner = inner[step]
    if inner is not None and (isinstance(inner, dict) or len(inner) > 0):
        inner[place[-1]] = value
    return found


@dataclass
class Apis:
    """Answers every call by its operation. `asked` are the operations that were, `wrong` calls that none describes."""

    me: Json = field(default_factory=lambda: copy.deepcopy(ME))
    programs: Json = field(default_factory=lambda: copy.deepcopy(PROGRAMS))
    said: dict[Operation, Json] = field(default_factory=dict)
    refusal: httpx.Response | None = None
    known: tuple[Operation, ...] = field(default_factory=operations)
    asked: list[Operation] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in SERVICES:
            return self._issuer(request)
        found = operation_for(request)
        query = set(parse_qs(request.url.query.decode(), keep_blank_values=True))
        if found is None or not query <= found.query:
            self.wrong.append(f"{request.method} {request.url}")
            return httpx.Response(404, json={"type": "not-found", "title": "There is no such thing.", "status": 404})
        self.asked.append(found)
        if found.template in ("/v1/me", "/v1/programs") and found.service == "program":
            if found.method != "POST":
                return httpx.Response(200, json=self.me if found.template == "/v1/me" else self.programs)
        elif self.refusal is not None and found.method != "GET":
            return self.refusal
        if found.status == 204:
            return httpx.Response(204)
        if found in self.said:
            return httpx.Response(found.status, json=self.said[found], headers={"etag": '"3"'})
        headers = {"etag": '"3"', "content-type": "application/json"}
        return httpx.Response(found.status, content=found.usual, headers=headers)

    def _issuer(self, request: httpx.Request) -> httpx.Response:
        """An issuer that is there, and to which nobody ever signed in."""
        if request.url.path.endswith("/openid-configuration"):
            ends = ("authorization_endpoint", "token_endpoint", "end_session_endpoint")
            return httpx.Response(200, json={"issuer": ISSUER, **{end: f"{ISSUER}/{end}" for end in ends}})
        return httpx.Response(400, json={"error": "invalid_grant"})
