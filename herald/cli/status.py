"""`herald status`: whether all is well, and what runs."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from herald.local.home import Home, default_folder
from herald.local.ports import LOOPBACK
from herald.local.terminal import say

NOT_RUNNING = 3


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show whether all is well, and what runs, where and with how much memory; exit code 3 when nothing runs."""
    home = Home(default_folder())
    state = current_state(home)
    if as_json:
        print(json.dumps(state, indent=1))
    elif not state["running"]:
        say("Herald is not running here." + (f" It ended: {state['error']}" if state.get("error") else ""))
    else:
        say(sentence(state))
        table = Table("name", "state", "process", "port", "memory", "restarts")
        for name, child in state["children"].items():
            memory = f"{child['memory_mb']} MB" if child["memory_mb"] else ""
            values = (child["state"], child["pid"] or "", child["port"], memory, child["restarts"])
            table.add_row(name, *map(str, values))
        Console().print(table)
    raise typer.Exit(0 if state["running"] else NOT_RUNNING)


def sentence(state: dict[str, Any]) -> str:
    """Whether all is well, in one sentence."""
    where = f"at {state['url']} (process {state['pid']})"
    down = [name for name, child in state["children"].items() if child["state"] != "ready"]
    down += [name for name, reasons in state["unready"].items() if name not in down and reasons]
    restarts = sum(child["restarts"] for child in state["children"].values())
    if state["status"] != "ready":
        return f"Herald is {state['status']} {where}."
    if down:
        said = "; ".join(f"{name}: {', '.join(state['unready'].get(name) or ['not ready'])}" for name in sorted(down))
        return f"Herald runs {where}, but not all is well: {said}."
    count = len(state["children"])
    again = f"; {restarts} restarts so far, see 'herald logs'" if restarts else ""
    return f"All is well: Herald is ready {where}, {count} of {count} parts answer{again}."


def _unready(child: dict[str, Any]) -> list[str]:
    """Why a process of Herald is not ready; empty if it is, or if it is not Herald's."""
    if child["kind"] != "process" or child["state"] != "ready":
        return []
    try:
        answer = httpx.get(f"http://{LOOPBACK}:{child['port']}/health/ready", timeout=5, trust_env=False)
        return [] if answer.is_success else list(answer.json()["reasons"])
    except (httpx.HTTPError, ValueError, KeyError):
        return ["does not answer"]


def current_state(home: Home) -> dict[str, Any]:
    """The supervisor's state file, with `running`, and for each child why it is `unready` and its resident memory in
    MB."""
    running = home.holder() is not None
    state = {"status": "stopped", "children": {}, **home.read_state(), "running": running}
    if not running and state["status"] not in ("stopped", "failed"):
        state["status"] = "killed"
    state["unready"] = {name: _unready(child) if running else [] for name, child in state["children"].items()}
    for child in state["children"].values():
        child["memory_mb"] = _resident_mb(child["pid"]) if running and child["pid"] else None
    return state


def _resident_mb(pid: int) -> int | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
