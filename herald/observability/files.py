"""The files of `deploy/alerts` and `deploy/dashboards` that are generated, and which of them are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from herald.observability import objectives
from herald.observability.dashboards import DASHBOARDS
from herald.observability.grafana import dashboard_json

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_HEAD = "# Made of herald/observability/objectives.py by `herald contracts generate`.\n"


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def rules_yaml(groups: list[dict[str, Any]]) -> str:
    """Rule groups as a file of Prometheus."""
    return yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=1000)


def files() -> dict[Path, str]:
    """Each generated file and its text."""
    pages = {DEPLOY / "dashboards" / f"{name}.json": dashboard_json(page) for name, page in DASHBOARDS.items()}
    return {DEPLOY / "alerts" / "objectives.yaml": _HEAD + rules_yaml(objectives.groups()), **pages}


def stale() -> list[Path]:
    """The files that are missing or not as they would be written."""
    return [path for path, text in files().items() if not path.is_file() or path.read_text("utf-8") != text]


def generate() -> list[Path]:
    """Write what is stale; returns the changed paths."""
    changed = stale()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path], "utf-8")
    return changed
