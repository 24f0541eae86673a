"""The example records in `contracts/examples`: what documents show, and what tests start from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herald.operations.topics import CONTRACTS

EXAMPLES = CONTRACTS / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """One record: its key, its CloudEvents headers and its value's JSON."""

    name: str
    type: str
    key: str
    headers: dict[str, str]
    data: dict[str, Any]

    @property
    def wire_headers(self) -> list[tuple[str, bytes]]:
        return [(name, value.encode()) for name, value in self.headers.items()]

    @property
    def value(self) -> bytes:
        return json.dumps(self.data, ensure_ascii=False).encode()


def load_examples(folder: Path = EXAMPLES) -> list[Example]:
    """Every example, by event and name; `type` is what its folder says. Raises ValueError naming the file."""
    return [_load(path) for path in sorted(folder.glob("*/v*/*.json"))]


def example(event: str, name: str | None = None, version: str = "v1") -> Example:
    """The example of that name, or an event's first one. Raises LookupError."""
    for found in load_examples(EXAMPLES):
        if found.type == f"herald.{event}.{version}" and name in (None, found.name):
            return found
    raise LookupError(f"no example {name or ''} of {event} {version}")


def _load(path: Path) -> Example:
    event, version = path.parts[-3:-1]
    try:
        document = json.loads(path.read_text("utf-8"))
        return Example(path.stem, f"herald.{event}.{version}", **document)
    except (ValueError, TypeError) as error:
        raise ValueError(f"examples/{event}/{version}/{path.name}: {error}") from None
