"""Every generated file of `contracts/`, as text; written by `generate`, compared by `stale`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from herald.contracts.asyncapi import asyncapi_document
from herald.contracts.examples import load_examples
from herald.contracts.schemas import event_schema, events
from herald.contracts.services import openapi_documents
from herald.operations.topics import CONTRACTS, load_topics

GENERATED = ("asyncapi.yaml", "schemas/*/*.json", "openapi/*.json")


class _Dumper(yaml.SafeDumper):
    """YAML for readers: without anchors, and with line breaks of texts kept."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.text)


def documents(root: Path = CONTRACTS) -> dict[Path, str]:
    """Path below `root` to text. Raises ValueError for a malformed topic file or example."""
    found: dict[Path, str] = {}
    for cls in events():
        _, event, version = cls.type.split(".")
        found[Path("schemas", event, f"{version}.json")] = _json(event_schema(cls))
    asyncapi = asyncapi_document(load_topics(root / "topics"), load_examples(root / "examples"))
    found[Path("asyncapi.yaml")] = yaml.dump(asyncapi, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return found | _openapi()


@cache
def _openapi() -> dict[Path, str]:
    """What the code alone decides, and most of the work."""
    return {Path("openapi", f"{service}.json"): _json(found) for service, found in openapi_documents().items()}


def generate(root: Path = CONTRACTS) -> list[Path]:
    """Write stale files and delete those that are no longer generated; returns the changed paths."""
    wanted = documents(root)
    changed = _stale(root, wanted)
    for path in changed:
        target = root / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], "utf-8")
        else:
            target.unlink()
    return changed


def stale(root: Path = CONTRACTS) -> list[Path]:
    """The generated files that are missing, different from what would be written, or left over."""
    return _stale(root, documents(root))


def _stale(root: Path, wanted: dict[Path, str]) -> list[Path]:
    present = {path.relative_to(root) for pattern in GENERATED for path in root.glob(pattern)}
    return sorted(
        path
        for path in present | wanted.keys()
        if path not in wanted or path not in present or (root / path).read_text("utf-8") != wanted[path]
    )


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
