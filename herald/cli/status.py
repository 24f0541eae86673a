"""`herald status`: whether all is well, and what runs."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from herald.local.home import Home, default_folder
from herald.local.terminal import say

NOT_RUNNING = 3


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show what runs, where, since when and with how much memory; exit code 3 when nothing runs."""
    home = Home(default_folder())
    state = current_state(home)
    if as_json:
        print(json.dumps(state, indent=1))
    elif not state["running"]:
        say("Herald is not running here." + (f" It ended: {state['error']}" if state.get("error") else ""))
    else:
        say(f"Herald is {state['status']} at {state['url']} (process {state['pid']}).")
        table = Table("name", "state", "process", "port", "memory", "restarts")
        for name, child in state["children"].items():
            memory = f"{child['memory_mb']} MB" if child["memory_mb"] else ""
            values = (child["state"], child["pid"] or "", child["port"], memory, child["restarts"])
            table.add_row(name, *map(str, values))
        Console().print(table)
    raise typer.Exit(0 if state["running"] else NOT_RUNNING)


def current_state(home: Home) -> dict[str, Any]:
    """What the supervisor wrote, with `running` and the memory of each child (resident, in megabytes)."""
    running = home.holder() is not None
    state = {"status": "stopped", "children": {}, **home.read_state(), "running": running}
    if not running and state["status"] not in ("stopped", "failed"):
        state["status"] = "killed"
    for child in state["children"].values():
        child["memory_mb"] = _resident_mb(child["pid"]) if running and child["pid"] else None
    return state


def _resident_mb(pid: int) -> int | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
