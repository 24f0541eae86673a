"""`python -m tests.fault all`: every fault once. `python -m tests.fault chaos`: pairs of them, drawn by seed."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.fault.faults import FAULTS, Fault
from tests.fault.runner import RESULTS, Outcome, Run, show, tell, write
from tests.fault.system import System, running_system

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
console = Console()
Seed = Annotated[int, typer.Option(help="What is drawn depends on it alone.")]


@app.callback()
def fault() -> None:
    """Break a whole Herald on purpose, and check what it promises."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


@app.command("all")
def every_fault(
    seed: Seed = 1,
    only: Annotated[str, typer.Option(help="Numbers of faults, comma between.")] = "",
    rounds: Annotated[int, typer.Option(help="Rounds of random kills (fault 4).")] = 50,
    mutation: Annotated[str, typer.Option(help="What is broken on purpose.")] = "",
    logs: Annotated[Path | None, typer.Option(help="Where the processes' logs go.")] = None,
) -> None:
    """Bring each fault about once and check every promise after it."""
    chosen = [one for one in FAULTS if not only or str(one.number) in only.split(",")]
    finish(asyncio.run(run_faults(chosen, seed, rounds=rounds, mutation=mutation, logs=logs)), "faults")


@app.command()
def chaos(
    seed: Seed = 1,
    minutes: Annotated[float, typer.Option(help="No new pair is begun after that.")] = 10.0,
    logs: Annotated[Path | None, typer.Option(help="Where the processes' logs go.")] = None,
) -> None:
    """Draw pairs of faults, and bring both about at once."""
    finish(asyncio.run(run_chaos(seed, minutes, logs)), "chaos")


async def run_faults(
    faults: list[Fault],
    seed: int,
    *,
    rounds: int = 6,
    mutation: str = "",
    logs: Path | None = None,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """The faults in their order on one system; `done` is told of each."""
    outcomes = []
    async with running_system(mutation) as system:
        run = await Run.begin(system, seed)
        try:
            for one in faults:
                outcomes.append(await run.meet([one], seed * 1000 + one.number, rounds=rounds))
                (done or _announce)(outcomes[-1])
                write(outcomes, "mutated" if mutation else "faults")
            outcomes[-1].conditions += await run.verified()
        finally:
            _keep_logs(system, logs, outcomes)
            await run.end()
    return outcomes


async def run_chaos(seed: int, minutes: float, logs: Path | None) -> list[Outcome]:
    """Pairs that may go together, until the time is over."""
    chance, outcomes = random.Random(seed), []
    deadline = time.monotonic() + minutes * 60
    async with running_system() as system:
        run = await Run.begin(system, seed)
        try:
            while time.monotonic() < deadline:
                pair = draw(chance)
                outcomes.append(await run.meet(pair, chance.randrange(10**6), rounds=3))
                _announce(outcomes[-1])
                write(outcomes, "chaos")
            outcomes[-1].conditions += await run.verified()
        finally:
            _keep_logs(system, logs, outcomes)
            await run.end()
    return outcomes


def draw(chance: random.Random) -> list[Fault]:
    """Two faults that do not pull at the same process."""
    able = [one for one in FAULTS if "all" not in one.handles]
    while True:
        pair = chance.sample(able, k=2)
        if not pair[0].handles & pair[1].handles:
            return pair


def finish(outcomes: list[Outcome], name: str) -> None:
    """Show and write the results; the exit code says whether every promise held."""
    show(outcomes, console)
    console.print(f"written to {write(outcomes, name)}", highlight=False)
    raise typer.Exit(0 if outcomes and all(one.ok for one in outcomes) else 1)


def _announce(outcome: Outcome) -> None:
    verdict = "ok" if outcome.ok else "BROKEN"
    console.print(
        f"{outcome.fault:>4} {verdict:6} {outcome.name}: recovered in {outcome.recovery_seconds} s, "
        f"{outcome.duplicates} duplicates, {outcome.seconds:.0f} s",
        highlight=False,
    )
    tell(outcome, console)


def _keep_logs(system: System, logs: Path | None, outcomes: list[Outcome]) -> None:
    """Where they are asked for, or else beside the results where something broke."""
    if logs is None and not all(one.ok for one in outcomes):
        logs = RESULTS / "logs"
    if logs is not None:
        shutil.copytree(system.home.logs, logs, dirs_exist_ok=True)


if __name__ == "__main__":
    app()
