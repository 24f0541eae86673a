"""Texts that a database, a pattern or a path could read as something else."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from tests.attack.attempt import Attempt, expect, refused
from tests.attack.target import Target

VALUES: tuple[Any, ...] = ({"$ne": None}, {"$gt": ""}, {"$regex": ".*"}, {"$where": "sleep(5000)"}, {"$exists": True},
                           ["$ne", 1], [{"$gt": ""}], {"$in": [1]}, {"": 1}, {"a.b": 1}, True, 7, None)  # fmt: skip
PATTERNS = (
    ".*",
    "^",
    "$",
    "(a+)+$",
    "a{1,99999}",
    "[",
    "(?=x)",
    "\\",
    "*",
    ".",
    "%",
    "_",
    "\x00",
    "' OR '1'='1",
    "a" * 5000,
)
IDS = (
    '{"$ne":null}', "$ne", "..", "../people", "..%2fpeople", "%2e%2e/people", "x?limit=1", "x#y", "x%00", "a;b",
    "a b", "é", "\ud7ff", "a" * 3000, "null", "undefined", "0", "-1", "[]", "*", "export", "x%0d%0aX: y",
)  # fmt: skip
KEYS = ("$set", "$where", "a.b", "", "__proto__", "constructor", "\x00", "_id", "é")


async def attack(target: Target) -> AsyncIterator[Attempt]:
    token = await target.api.token("marc@herald.example")
    async with target.client(headers={"authorization": f"Bearer {token}"}) as client:
        people = "/api/program/v1/people"
        everybody = len((await client.get(people, params={"limit": 100})).json()["items"])
        for pattern in PATTERNS:
            began = time.monotonic()
            answer = await client.get(people, params={"query": pattern, "limit": 100})
            took = time.monotonic() - began
            shown = len(answer.json().get("items", ())) if answer.is_success else 0
            held = answer.status_code < 500 and took < 1 and (shown < everybody or pattern in ("\x00",))
            yield expect(f"query={pattern[:20]!r}", held, f"{answer.status_code}, {shown} of {everybody}, {took:.2f} s")
        for name in ("query", "country", "team", "role", "status", "cursor"):
            for suffix in ("[$ne]", "[$regex]", "[]", ".x"):
                answer = await client.get(people, params={f"{name}{suffix}": "", "limit": 1})
                yield expect(f"{name}{suffix}", answer.status_code < 500, answer.status_code)
        for cursor in (*VALUES, ["x", {"$gt": ""}], [{"$gt": ""}, "x"], "$gt", [["a"]]):
            text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
            for path in ("/api/program/v1/people", "/api/program/v1/programs"):
                yield refused(
                    f"{path} cursor={json.dumps(cursor)}", await client.get(path, params={"cursor": text}), 422
                )
        for id in IDS:
            for path in (
                "/api/program/v1/people/{}",
                "/api/program/v1/imports/{}",
                "/api/program/v1/programs/{}/objective",
            ):
                answer = await client.get(path.format(quote(id, safe="%?#")))
                held = answer.status_code < 500 and (
                    not answer.is_success or id in ("..", "../people", "export", "x#y")
                )
                yield expect(f"{path.format(id[:20])}", held, answer.status_code)
        async for attempt in _bodies(target, client):
            yield attempt


async def _bodies(target: Target, client: Any) -> AsyncIterator[Attempt]:
    program = f"/api/program/v1/programs/{target.program_id}"
    for value in VALUES:
        for path, field in (
            ("/api/program/v1/people/names", "ids"), ("/api/program/v1/people/resolve", "people"),
            (f"{program}/invitations", "people"), ("/api/program/v1/programs", "name"),
            (f"{program}/guidelines", "texts"), ("/api/content/v1/items/resolve", "items"),
        ):  # fmt: skip
            body = {field: value, "program_id": target.program_id}
            answer = await client.post(path, json=body)
            yield refused(f"{path.rsplit('/', 1)[-1]} {field}={json.dumps(value)}", answer)
    for key in KEYS:
        texts = await client.post(f"{program}/guidelines", json={"texts": {key: "x"}})
        yield refused(f"guidelines in the language {key!r}", texts)
        rules = {"disclosures": {key: {"en": "x"}}, "forbidden": []}
        path = f"/api/sharing/v1/programs/{target.program_id}/guardrails"
        answer = await client.put(path, json=rules, headers={"if-match": '"1"'})
        yield refused(f"guardrails of the country {key!r}", answer)
