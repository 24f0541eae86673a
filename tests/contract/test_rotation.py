"""The page on rotating secrets: it knows each of them, its values are the chart's, its shell does what it says."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from herald.operations.secrets import SECRETS, flaw
from tests.contract.test_chart import VALUES, over, refusals, values_of

PAGE = (Path(__file__).parents[2] / "docs/operations/secrets.md").read_text("utf-8")
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = [text for kind, text in BLOCKS if kind == "sh"]
WORDS = next(text for text in SHELL if text.startswith("get()"))
KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$ASKED"
case "$*" in *" get secret "*) printf aGVyZQ==;; *" patch "*) cat >>"$ASKED";; esac
"""


def test_each_secret_of_the_chart_stands_in_the_table() -> None:
    table = {key for line in PAGE.splitlines() if line.startswith("| [") for key in re.findall(r"`([a-z-]+)`", line)}
    assert {one.key for one in SECRETS} <= table


def test_its_values_are_values_of_the_chart() -> None:
    found = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]
    assert len(found) == 3
    for values in found:
        assert refusals(over(values_of("minimal"), values)) == []


def test_it_names_roles_that_there_are() -> None:
    roles = {f"{service}-{role}" for service, row in VALUES["services"].items() for role in row["roles"]}
    named = {word for one in re.findall(r"restart ([a-z -]+)", "\n".join(SHELL)) for word in one.split() if "-" in word}
    everything = next(re.findall(r'everything="([^"]+)"', text)[0] for text in SHELL if "everything=" in text)
    assert named <= roles
    assert len(named) > 4
    assert {*everything.split(), "hub-api"} == roles


def run(folder: Path, script: str) -> tuple[str, str]:
    """What the script prints with the words of the page, and what it asked of kubectl."""
    asked, kubectl = folder / "asked", folder / "kubectl"
    asked.touch()
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(asked)}
    done = subprocess.run(
        ["sh", "-eu", "-c", f"{WORDS}\n{script}"], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout, asked.read_text()


@pytest.mark.parametrize("text", SHELL, ids=range(len(SHELL)))
def test_its_shell_is_shell(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False).stderr == ""


def test_a_value_is_put_and_read_without_a_command_line_that_shows_it(tmp_path: Path) -> None:
    value = "two, of them\nand a line's end"
    _, asked = run(tmp_path, f"printf '%s' \"{value}\" | put session-key")
    command, patch = asked.split("\n", 1)
    assert command == "--namespace herald patch secret herald --type merge --patch-file /dev/stdin"
    assert base64.b64decode(json.loads(patch)["data"]["session-key"]).decode() == value
    assert run(tmp_path, "get session-key")[0] == "here"


def test_a_fresh_key_is_taken(tmp_path: Path) -> None:
    key, _ = run(tmp_path, "fresh")
    assert [flaw(name, key) for name in ("HERALD_SESSION_KEY", "HERALD_VISITOR_KEY")] == [None, None]


def test_a_restart_is_of_these_roles_and_waited_for(tmp_path: Path) -> None:
    _, asked = run(tmp_path, "restart hub-api program-worker")
    restart, status = asked.splitlines()
    selector = "app.kubernetes.io/instance=herald,app.kubernetes.io/component in (hub-api,program-worker)"
    assert restart == f"--namespace herald rollout restart deployment,statefulset --selector {selector}"
    assert status == f"--namespace herald rollout status deployment,statefulset --selector {selector} --timeout 15m"
