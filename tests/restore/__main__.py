"""`python -m tests.restore`: lose databases and Kafka, heal, and tell what was lost, for how long, and what held."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.fault.runner import Run
from tests.fault.system import running_system
from tests.restore.rehearsal import Rehearsal, Scenario

RESULTS = Path(__file__).with_name("results")
SCENARIOS = ("metrics", "gamification", "earlier", "sharing", "content", "kafka")
console = Console()


def main(
    only: Annotated[str, typer.Option(help=f"Of {', '.join(SCENARIOS)}, comma between.")] = "",
    seconds: Annotated[float, typer.Option(help="For how long the crowd acts, each time.")] = 10.0,
    seed: Annotated[int, typer.Option(help="What is drawn depends on it alone.")] = 1,
    results: Annotated[str, typer.Option(help="Name of the file that they are written to.")] = "restore",
    heal: Annotated[bool, typer.Option(help="Run `herald recover`; without it, see what it is for.")] = True,
) -> None:
    """Rehearse each scenario on one system, in this order."""
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    chosen = [one for one in SCENARIOS if not only or one in only.split(",")]
    scenarios = asyncio.run(rehearse(chosen, seconds, seed, heal=heal, results=results))
    _show(scenarios, results)
    raise typer.Exit(0 if all(not one.broken for one in scenarios) else 1)


async def rehearse(chosen: list[str], seconds: float, seed: int, *, heal: bool, results: str) -> list[Scenario]:
    found = []
    with tempfile.TemporaryDirectory(prefix="herald-restore-") as folder:
        async with running_system() as system:
            run = await Run.begin(system, seed)
            rehearsal = Rehearsal(system, run, Path(folder), seed, heal)
            try:
                for name in chosen:
                    try:
                        found.append(await _scenario(rehearsal, name, seconds))
                    except Exception as error:  # noqa: BLE001 - what cannot even be done is told, and ends it
                        found.append(Scenario(name, broken=[f"{type(error).__name__}: {error}"]))
                    _tell(found[-1])
                    _write(found, results)
                    if found[-1].name == name:
                        break
            finally:
                await run.end()
    return found


async def _scenario(rehearsal: Rehearsal, name: str, seconds: float) -> Scenario:
    match name:
        case "earlier":
            return await rehearsal.earlier_than_kafka(seconds, seconds)
        case "kafka":
            return await rehearsal.without_kafka(seconds)
        case _:
            return await rehearsal.one_service(name, owner=name in ("sharing", "content"), seconds=seconds)


def _tell(one: Scenario) -> None:
    console.print(f"{one.name}: {'BROKEN' if one.broken else 'healed'}", highlight=False)
    for line in one.broken:
        console.print(f"    did not hold: {line}", style="red", markup=False)


def _show(scenarios: list[Scenario], results: str) -> None:
    table = Table("scenario", "what was lost", "seconds", "what held", title="Restore", show_lines=True)
    for one in scenarios:
        held = [*one.held, *(f"NOT: {line[:200]}" for line in one.broken)]
        seconds = [f"{what}: {number}" for what, number in one.seconds.items()]
        table.add_row(one.name, "\n".join(one.lost) or "nothing", "\n".join(seconds), "\n".join(held))
    console.print(table)
    console.print(f"written to {_write(scenarios, results)}", highlight=False)


def _write(scenarios: list[Scenario], results: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{results}.json"
    path.write_text(json.dumps([one.as_json() for one in scenarios], indent=1) + "\n")
    return path


if __name__ == "__main__":
    typer.run(main)
