"""What the charts are given: of the contracts `files/topics.yaml`; of `deploy` the alerts and dashboards, since a chart
reads only what is in its own folder; of their own values each `README.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from herald.operations.topics import CONTRACTS, Topic, load_topics

CHART = CONTRACTS.parent / "deploy" / "helm" / "herald"
DEPLOY = CONTRACTS.parent / "deploy"
TRIAL = CHART.with_name("herald-trial")
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

TRIAL_INTRODUCTION = """\
# The trial chart

Made of `values.yaml` by `herald contracts generate`.

**For trying Herald out, and for nothing else**: anybody signs in as anybody, there is one copy of everything, no TLS.
For work there is [the chart of Herald](../herald/README.md) ([how to install it](../../../docs/operations/install.md)).

It brings a Kafka, a MongoDB and a Valkey from their official images, and the development issuer. All that it needs is a
cluster and [Herald's images](../../../docs/guides/docker.md#what-is-in-it) in a registry that the cluster reads:

```sh
helm install herald-trial deploy/helm/herald-trial --dependency-update --namespace herald-trial --create-namespace \\
  --set herald.image.registry=registry.example.com/herald
kubectl --namespace herald-trial port-forward service/trial-front 8080:8080
```

Then open <http://herald.localhost:8080> and sign in as one of the personas. One trial fits into a namespace, under any
name of release; names of servers are fixed. The images want the users that are in the values, which OpenShift's own
constraints refuse: there it takes a namespace with `anyuid`.

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
        **copies(),
        CHART / "files" / "topics.yaml": head + yaml.safe_dump({"topics": listed}, sort_keys=False),
        CHART / "README.md": readme((CHART / "values.yaml").read_text("utf-8")),
        TRIAL / "README.md": readme((TRIAL / "values.yaml").read_text("utf-8"), TRIAL_INTRODUCTION),
    }


def copies() -> dict[Path, str]:
    """Alerts and dashboards of `deploy`, as the chart has them."""
    alerts = [path for path in DEPLOY.glob("alerts/*.yaml") if not path.name.endswith(".test.yaml")]
    found = [*alerts, *DEPLOY.glob("dashboards/*.json")]
    return {CHART / "files" / path.relative_to(DEPLOY): path.read_text("utf-8") for path in sorted(found)}


def generate() -> list[Path]:
    """Write what is stale, and remove copies of what is gone; returns the changed paths."""
    changed, wanted = stale(), files()
    for path in changed:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()
    return changed


def stale() -> list[Path]:
    """The files that are missing, not as they would be written, or copies of what is gone."""
    wanted = files()
    there = {path for folder in ("alerts", "dashboards") for path in (CHART / "files" / folder).glob("*")}
    other = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    return [*other, *sorted(there - wanted.keys())]


def readme(values: str, introduction: str = INTRODUCTION) -> str:
    """The page: a row for each key of `values` with a comment that begins with two dashes."""
    defaults = yaml.safe_load(values)
    rows = [f"| `{'.'.join(path)}` | {_default(defaults, path)} | {text} |" for path, text in described(values)]
    return introduction + "\n".join(rows) + "\n"


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
