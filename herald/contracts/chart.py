"""What the chart is given of the contracts and of its own values: `files/topics.yaml` and `README.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from herald.operations.topics import CONTRACTS, Topic, load_topics

CHART = CONTRACTS.parent / "deploy" / "helm" / "herald"
_KEY = re.compile(r"( *)([A-Za-z][\w-]*):")
_MARK = "# -- "

INTRODUCTION = """\
# The chart of Herald

Made of `values.yaml` by `herald contracts generate`. [How to install](../../../docs/operations/install.md).

Kafka, MongoDB, Redis and the identity provider are yours. What is **required** has no default; a key that is not in
this table, and a value of the wrong kind, are refused (`values.schema.json`). Sets of values to start from are in
[ci](ci): [minimal](ci/minimal.yaml), [everything](ci/everything.yaml), [OpenShift](ci/openshift.yaml) and
[Argo CD](ci/argocd.yaml).

| value | default | |
|---|---|---|
"""


def files(topics: list[Topic] | None = None) -> dict[Path, str]:
    """The generated files of the chart, as text."""
    listed = [
        {
            "name": topic.name,
            "owner": topic.owner,
            "groups": sorted(one.group for one in topic.consumers),
            "partitions": topic.partitions,
            "config": topic.config,
        }
        for topic in (load_topics() if topics is None else topics)
    ]
    head = "# Made of contracts/topics by `herald contracts generate`.\n"
    return {
        CHART / "files" / "topics.yaml": head + yaml.safe_dump({"topics": listed}, sort_keys=False),
        CHART / "README.md": readme((CHART / "values.yaml").read_text("utf-8")),
    }


def generate() -> list[Path]:
    """Write what is stale; returns the changed paths."""
    changed = stale()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path], "utf-8")
    return changed


def stale() -> list[Path]:
    """The files that are missing or not as they would be written."""
    return [path for path, text in files().items() if not path.is_file() or path.read_text("utf-8") != text]


def readme(values: str) -> str:
    """The page: a row for each key of `values` with a comment that begins with two dashes."""
    defaults = yaml.safe_load(values)
    rows = [f"| `{'.'.join(path)}` | {_default(defaults, path)} | {text} |" for path, text in described(values)]
    return INTRODUCTION + "\n".join(rows) + "\n"


def described(values: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of each described key, in the order of the file."""
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in values.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            text = stripped.removeprefix(_MARK) if stripped.startswith(_MARK) else stripped.removeprefix("# ")
            if stripped.startswith(_MARK) or comment:
                comment.append(text)
            continue
        if key := _KEY.match(line):
            path = [one for one in path if one[0] < len(key[1])] + [(len(key[1]), key[2])]
            if comment:
                yield tuple(name for _, name in path), " ".join(comment)
        comment = []


def _default(values: Any, path: tuple[str, ...]) -> str:
    for name in path:
        values = values[name]
    text = json.dumps(values, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 80 else "see `values.yaml`"
