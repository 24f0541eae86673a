"""Alerts and dashboards: each alert has its runbook, each query asks for metrics that are exported, and Grafana's own
types take each dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from herald.observability.dashboards import DASHBOARDS
from herald.observability.files import files, stale
from herald.observability.grafana import WIDTH
from tests.node import NODE, node_modules
from tests.promtool import find_promtool

ROOT = Path(__file__).parents[2]
ALERTS, RUNBOOKS = ROOT / "deploy/alerts", ROOT / "docs/runbooks"
EXPORTED = {
    *re.findall(r"^\| `([a-z_]+)` \|", (RUNBOOKS / "README.md").read_text("utf-8"), re.MULTILINE),
}
METRIC = re.compile(r"\b(?:herald|http_server|process)_[a-z_]+\b(?!:)")
OF_A_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")
UNITS = {"short", "s", "bytes", "percentunit", "reqps", "ops"}


def rules() -> Iterator[dict[str, Any]]:
    for name in ("objectives", "causes"):
        for group in yaml.safe_load((ALERTS / f"{name}.yaml").read_text("utf-8"))["groups"]:
            yield from group["rules"]


ALL_ALERTS = [rule for rule in rules() if "alert" in rule]


def asked_for(expr: str) -> set[str]:
    return {OF_A_HISTOGRAM.sub("", name) for name in METRIC.findall(expr)}


def test_they_are_as_they_would_be_generated() -> None:
    assert stale() == []
    assert len(files()) == 5


@pytest.mark.parametrize("rule", ALL_ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_is_wrong_and_where_it_is_written_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    page = ROOT / rule["annotations"]["runbook_url"]
    assert page.parent == RUNBOOKS
    assert f"`{rule['alert']}`" in re.findall(r"^Alerts: (.+)$", page.read_text("utf-8"), re.MULTILINE)[0].split(", ")


def test_no_runbook_names_an_alert_that_is_not_there() -> None:
    named = {
        name for page in RUNBOOKS.glob("*.md") for name in re.findall(r"`(Herald[A-Za-z]+)`", page.read_text("utf-8"))
    }
    assert named == {rule["alert"] for rule in ALL_ALERTS}


def test_what_a_runbook_looks_for_in_the_log_is_the_name_of_a_logger() -> None:
    modules = [
        f'"{".".join(path.relative_to(ROOT).with_suffix("").parts)}"'
        for path in (ROOT / "chassis").rglob("*.py")
        if "getLogger(__name__)" in path.read_text("utf-8")
    ]
    patterns = [
        pattern
        for page in RUNBOOKS.glob("*.md")
        for pattern in re.findall(r"grep (?:-E )?'(\"chassis[^']*)'", page.read_text("utf-8"))
    ]
    assert len(patterns) >= 2
    for pattern in patterns:
        assert any(re.search(pattern, name) for name in modules), pattern


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    tests = "".join(path.read_text("utf-8") for path in ALERTS.glob("*.test.yaml"))
    assert [
        rule["alert"] for rule in ALL_ALERTS if rule["alert"] not in tests and "Redirects" not in rule["alert"]
    ] == []


def test_rules_and_panels_ask_for_metrics_that_are_exported() -> None:
    queries = [query.expr for page in DASHBOARDS.values() for panel in page.panels for query in panel.queries]
    for expr in (*queries, *(rule["expr"] for rule in rules())):
        assert asked_for(expr) - EXPORTED == set(), expr
    assert asked_for("rate(herald_links_redirect_secs_bucket[5m])") - EXPORTED


def test_what_is_recorded_is_what_is_asked_for() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {
        name
        for expr in (
            *(rule["expr"] for rule in ALL_ALERTS),
            *(query.expr for page in DASHBOARDS.values() for panel in page.panels for query in panel.queries),
        )
        for name in re.findall(r"\bherald:[a-z0-9_:]+", expr)
    }
    assert asked == recorded


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_panels_stand_side_by_side_with_a_title_a_unit_and_a_description(name: str) -> None:
    page = json.loads(files()[ROOT / "deploy/dashboards" / f"{name}.json"])
    taken: Counter[tuple[int, int]] = Counter()
    for panel in page["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert taken.most_common(1)[0][1] == 1
    assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])
    titles = Counter(panel.title for panel in DASHBOARDS[name].panels)
    assert titles.most_common(1)[0][1] == 1
    for one in DASHBOARDS[name].panels:
        assert one.description.endswith("."), one.title
        assert one.unit in UNITS, one.title
        assert all(query.legend for query in one.queries), one.title


def test_every_variable_of_a_query_is_chosen_on_its_page() -> None:
    for page in DASHBOARDS.values():
        known = {"datasource", "__rate_interval", "__range", *(choice.name for choice in page.choices)}
        for panel in page.panels:
            for query in panel.queries:
                assert set(re.findall(r"\$(\w+)", query.expr)) <= known


# --- judges from elsewhere -------------------------------------------------------------------------------------------


TYPES = {"stat": "stat", "timeseries": "timeseries", "table": "table"}
PLAIN = """
type Plain<T> = T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer U> ? Plain<U>[]
  : T extends object ? { [K in keyof T as K extends `_${string}` ? never : K]: Plain<T[K]> }
  : T;
"""


def typed(pages: dict[str, dict[str, Any]]) -> str:
    """A program in TypeScript that is right where each page, query and option is of Grafana's published types."""
    lines = [f'import type * as {name} from "sdk/{name}/types.gen";' for name in ("dashboard", "prometheus", *TYPES)]
    lines.append(PLAIN)
    for name, page in pages.items():
        panels = []
        for panel in page["panels"]:
            if panel["type"] == "row":
                panels.append(panel)
                continue
            kind, constant = TYPES[panel["type"]], f"{name}_{panel['id']}"
            lines.append(f"export const {constant}_q: Plain<prometheus.Dataquery>[] = {json.dumps(panel['targets'])};")
            lines.append(f"export const {constant}_o: Plain<{kind}.Options> = {json.dumps(panel['options'])};")
            if custom := panel["fieldConfig"]["defaults"].get("custom"):
                lines.append(f"export const {constant}_f: Plain<{kind}.FieldConfig> = {json.dumps(custom)};")
            panels.append({key: value for key, value in panel.items() if key != "targets"})
        lines.append(f"export const {name}: Plain<dashboard.Dashboard> = {json.dumps({**page, 'panels': panels})};")
    return "\n".join(lines)


def type_errors(folder: Path, pages: dict[str, dict[str, Any]]) -> list[str]:
    modules = node_modules()
    (folder / "pages.ts").write_text(typed(pages), "utf-8")
    options = {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "nodenext",
        "moduleResolution": "nodenext",
        "types": [],
        "paths": {"sdk/*": [str(modules / "@grafana/grafana-foundation-sdk/dist/*")]},
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["pages.ts"]}), "utf-8")
    ran = subprocess.run(
        [NODE, modules / "typescript/bin/tsc", "-p", folder], capture_output=True, text=True, timeout=110, check=False
    )
    return ran.stdout.splitlines()


def test_grafanas_published_types_take_each_dashboard_and_none_with_a_wrong_word(tmp_path: Path) -> None:
    pages = {name: json.loads((ROOT / "deploy/dashboards" / f"{name}.json").read_text("utf-8")) for name in DASHBOARDS}
    wrong = json.loads(json.dumps(pages["links"]))
    wrong["refreshed"] = "30s"
    wrong["panels"][1]["gridPos"]["w"] = "8"
    wrong["panels"][2]["options"]["legend"]["placement"] = "above"
    wrong["panels"][3]["targets"][0]["query"] = "up"
    found = type_errors(tmp_path, {**pages, "wrong": wrong})
    right = typed(pages).count("\n") + 1
    assert [line for line in found if int(line.partition("pages.ts(")[2].partition(",")[0]) <= right] == []
    assert len(found) >= 3, found


def test_prometheus_own_tool_takes_the_rules_and_their_tests() -> None:
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not on PATH, and tests.peers has not fetched it yet")
    for command in (["check", "rules"], ["test", "rules"]):
        pattern = "*.test.yaml" if command[0] == "test" else "[!.]*s.yaml"
        paths = sorted(ALERTS.glob(pattern))
        assert len(paths) == 2
        ran = subprocess.run([promtool, *command, *paths], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_rule_that_is_broken_fails_its_test(tmp_path: Path) -> None:
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not on PATH, and tests.peers has not fetched it yet")
    for path in ALERTS.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    for name, before, after in (
        ("objectives", "> 14.4 * (1 - 0.999)", "> 144 * (1 - 0.999)"),
        ("objectives", ") >= 5", ") >= 1"),
        ("causes", "increase(herald_links_clicks_total", "rate(herald_links_clicks"),
    ):
        file = tmp_path / f"{name}.yaml"
        text = file.read_text("utf-8")
        assert before in text
        file.write_text(text.replace(before, after), "utf-8")
        ran = subprocess.run(
            [promtool, "test", "rules", tmp_path / f"{name}.test.yaml"], capture_output=True, timeout=60, check=False
        )
        assert ran.returncode != 0, before
        file.write_text(text, "utf-8")
