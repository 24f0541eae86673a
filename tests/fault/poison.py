"""Records that no producer should send: each kind with the ends that are right for it."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fault.journal import Fate

Header = tuple[str, bytes | None]
DEAD_LETTERED: frozenset[Fate] = frozenset(("dead-lettered",))
APPLIED: frozenset[Fate] = frozenset(("applied",))
IGNORED: frozenset[Fate] = frozenset(("ignored",))


@dataclass(slots=True)
class Draft:
    """A record to be sent, made from a good one."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header] = field(default_factory=list)

    def header(self, name: str, value: bytes | None) -> None:
        self.headers = [(other, kept) for other, kept in self.headers if other != name] + [(name, value)]

    def change(self, **fields: Any) -> None:
        self.value = json.dumps({**json.loads(self.value or b"{}"), **fields}).encode()


@dataclass(frozen=True, slots=True)
class Poison:
    """A way to spoil a good record. `fates` are right ends, `rules` what a dead letter may then say."""

    kind: str
    spoil: Callable[[Draft], None]
    fates: frozenset[Fate] = DEAD_LETTERED
    rules: frozenset[str] = frozenset()


def _drop(name: str) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.headers = [(other, value) for other, value in draft.headers if other != name]

    return spoil


def _head(name: str, value: bytes | None) -> Callable[[Draft], None]:
    return lambda draft: draft.header(name, value)


def _value(value: bytes | None) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.value = value

    return spoil


def _fields(**fields: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.change(**fields)


def _large(draft: Draft) -> None:
    draft.change(padding="x" * 990_000)


def _future(draft: Draft) -> None:
    draft.header("ce_time", b"2999-01-01T00:00:00.000Z")


def _bare(draft: Draft) -> None:
    draft.headers = []


def _oddly_named(draft: Draft) -> None:
    draft.header("ce_id", f"no-uuid-{uuid.uuid4().hex[:12]}".encode())


def _of_nobody(draft: Draft) -> None:
    nobody = f"nobody-{uuid.uuid4().hex[:12]}"
    draft.change(ambassador_id=nobody)
    draft.key = nobody.encode()


def _nested(draft: Draft) -> None:
    draft.value = b"[" * 50_000


EITHER: frozenset[Fate] = frozenset(("applied", "dead-lettered"))

KINDS: tuple[Poison, ...] = (
    Poison("bad JSON", _value(b'{"post_id": '), rules=frozenset(("json-invalid",))),
    Poison("no value", _value(None), rules=frozenset(("json-invalid",))),
    Poison("empty value", _value(b""), rules=frozenset(("json-invalid",))),
    Poison("JSON that is no object", _value(b"[1, 2]"), rules=frozenset(("schema-mismatch",))),
    Poison("JSON nested 50,000 deep", _nested, rules=frozenset(("json-invalid", "schema-mismatch"))),
    Poison("a null header besides", _head("x-note", None), APPLIED),
    Poison("a null header that is needed", _head("ce_id", None), rules=frozenset(("header-missing",))),
    Poison("a non-UTF-8 header besides", _head("x-note", b"\xff\xfe"), APPLIED),
    Poison("a non-UTF-8 type", _head("ce_type", b"\xff\xfe"), rules=frozenset(("header-missing",))),
    Poison("no headers", _bare, rules=frozenset(("header-missing",))),
    Poison("no id", _drop("ce_id"), rules=frozenset(("header-missing",))),
    Poison("no time", _drop("ce_time"), rules=frozenset(("header-missing",))),
    Poison("a record of 1 MB", _large, EITHER),
    Poison("a header of 64 KB", _head("x-note", b"n" * 65_536), EITHER),
    Poison("an unknown type", _head("ce_type", b"herald.PostPraised.v1"), IGNORED),
    Poison("a foreign type", _head("ce_type", b"com.example.Thing"), rules=frozenset(("type-unknown",))),
    Poison(
        "an unknown version", _head("ce_type", b"herald.EngagementRecorded.v9"), rules=frozenset(("version-unknown",))
    ),
    Poison("the wrong schema", _fields(quantity="many"), rules=frozenset(("schema-mismatch",))),
    Poison("a quantity below 1", _fields(quantity=0), rules=frozenset(("schema-mismatch",))),
    Poison("a future ce_time", _future, EITHER),
    Poison("a ce_time that is none", _head("ce_time", b"yesterday"), rules=frozenset(("header-invalid",))),
    Poison("an id that is no UUID", _oddly_named, EITHER),
    Poison("a person that is not there", _of_nobody, EITHER),
    Poison("a field more", _fields(campaign="spring"), APPLIED),
)


def engagement(chance: random.Random, post: dict[str, Any], *, kind: str | None = None) -> tuple[str, Draft]:
    """A good EngagementRecorded of a post, and its id."""
    id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    now = datetime.now(UTC)
    at = _text(now - timedelta(milliseconds=chance.randrange(1000)))
    data = {
        **{name: post[name] for name in ("post_id", "ambassador_id", "program_id", "content_id", "network")},
        "kind": kind or chance.choice(("click", "like", "comment", "repost")),
        "quantity": chance.randint(1, 3),
        "verdict": "counted",
        "measure": "measured",
        "occurred_at": at,
    }
    headers: Sequence[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_type", b"herald.EngagementRecorded.v1"),
        ("ce_source", b"/elsewhere/networks"),
        ("ce_subject", post["post_id"].encode()),
        ("ce_time", _text(now).encode()),
        ("ce_dataschema", b"urn:herald:EngagementRecorded:v1"),
        ("ce_partitionkey", post["ambassador_id"].encode()),
        ("content-type", b"application/json"),
        ("traceparent", f"00-{uuid.UUID(id).hex}-{uuid.UUID(id).hex[16:]}-00".encode()),
    ]
    return id, Draft("herald.engagements", post["ambassador_id"].encode(), json.dumps(data).encode(), list(headers))


def click_of_nothing(chance: random.Random) -> tuple[str, Draft]:
    """A good LinkClicked of a link that never was, and its id."""
    id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    code = f"never{chance.randrange(10**6)}"
    data = {"link_code": code, "occurred_at": _text(datetime.now(UTC)), "agent": "browser"}
    headers: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_type", b"herald.LinkClicked.v1"),
        ("ce_source", b"/herald/sharing"),
        ("ce_time", data["occurred_at"].encode()),
    ]
    return id, Draft("herald.clicks", code.encode(), json.dumps(data).encode(), headers)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
