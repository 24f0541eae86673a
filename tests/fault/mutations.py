"""The check of the fault suite itself: each mutant must be caught, by the promise that it breaks.

`python -m tests.fault.mutations` runs, for each mutation of the table, the faults that should catch it on a system of
its own, and the same faults once on a sound system, where every promise must hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.fault.checker import PROMISES
from tests.fault.faults import FAULTS
from tests.fault.mutants import MUTANTS
from tests.fault.runner import RESULTS, Outcome, Run, tell
from tests.fault.system import running_system

SOUND = ""
STANDSTILL_SECONDS = 15.0
"""Longer than any pause between two attempts, a session or a lease of Herald."""
EXAMPLES = 3
LINE = 200
console = Console()


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutant by name, the numbers of the faults that should catch it, and the promise that each should find broken.

    The promise is never I6: a mutant that hangs or dies proves nothing of the checker's arithmetic.
    """

    name: str
    faults: tuple[int, ...]
    promise: str

    @property
    def what(self) -> str:
        return (MUTANTS[self.name].__doc__ or "").strip()


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("no-inbox", (16,), "I2"),
    Mutation("no-fence", (15,), "I2"),
    Mutation("acknowledge-first", (3,), "I5"),
    Mutation("commit-everything", (3,), "I5"),
    Mutation("effect-apart", (3,), "I5"),
    Mutation("letters-unconfirmed", (18,), "I5"),
    Mutation("letters-swallowed", (17,), "I5"),
    Mutation("neighbours-buried", (17,), "I5"),
    Mutation("publish-before-commit", (1,), "I4"),
    Mutation("relay-by-id", (16,), "I1"),
    Mutation("any-order", (10,), "I3"),
    Mutation("deleted-before-ack", (10,), "I1"),
    Mutation("lease-never-checked", (8,), "I7"),
    Mutation("no-fencing", (8,), "I7"),
    Mutation("not-idempotent", (12,), "I7"),
    Mutation("producer-kept", (10,), "I1"),
    Mutation("no-spool", (10,), "I8"),
    Mutation("key-ignored", (1,), "I2"),
)


@dataclass(slots=True)
class Verdict:
    """What became of a mutation. `caught_by` is the fault that found the expected promise broken; `found` holds some
    of the violations of every promise that it found broken, `broken` how many there were."""

    mutation: str
    what: str
    expected: str
    caught_by: int | None = None
    fault: str = ""
    broken: dict[str, int] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    seconds: float = 0.0
    load_average: float = 0.0

    @property
    def caught(self) -> bool:
        return self.caught_by is not None


async def meet(mutation: str, faults: Sequence[int], seed: int, *, until: str = "") -> list[Outcome]:
    """The faults one after the other on one system, up to the first that finds the promise `until` broken."""
    outcomes: list[Outcome] = []
    async with running_system(mutation) as system:
        run = await Run.begin(system, seed)
        run.patience = STANDSTILL_SECONDS
        try:
            for fault in (one for one in FAULTS if one.number in faults):
                outcomes.append(await run.meet([fault], seed * 1000 + fault.number))
                if until in outcomes[-1].broken:
                    break
        finally:
            await run.end()
    return outcomes


async def judge(mutation: Mutation, seed: int) -> Verdict:
    """Bring the mutation before its faults."""
    began = time.monotonic()
    verdict = Verdict(mutation.name, mutation.what, mutation.promise)
    for outcome in await meet(mutation.name, mutation.faults, seed, until=mutation.promise):
        verdict.fault = outcome.name
        verdict.broken = {promise: len(whom) for promise, whom in outcome.broken.items()}
        verdict.found = {promise: whom[:EXAMPLES] for promise, whom in outcome.broken.items()}
        verdict.conditions = outcome.conditions
        if mutation.promise in outcome.broken:
            verdict.caught_by = outcome.fault
    verdict.seconds = round(time.monotonic() - began, 1)
    verdict.load_average = round(os.getloadavg()[0], 1)
    return verdict


def main(
    seed: Annotated[int, typer.Option(help="What is drawn depends on it alone.")] = 1,
    only: Annotated[str, typer.Option(help="Names of mutations, comma between.")] = "",
    sound: Annotated[bool, typer.Option(help="Run the same faults on a sound system too.")] = True,
) -> None:
    """Each mutant must be caught; the exit code says whether all were, and whether the sound system was not."""
    chosen = [one for one in MUTATIONS if not only or one.name in only.split(",")]
    raise typer.Exit(0 if asyncio.run(check(chosen, seed, sound=sound)) else 1)


async def check(chosen: Sequence[Mutation], seed: int, *, sound: bool) -> bool:
    """Whether every mutation was caught and no fault is red by itself. Writes `results/mutations.json`."""
    began = time.monotonic()
    red: list[Outcome] = []
    if sound:
        faults = sorted({number for one in chosen for number in one.faults})
        outcomes = await meet(SOUND, faults, seed)
        red = [one for one in outcomes if not one.ok]
        console.print(f"sound: {len(outcomes) - len(red)} of {len(outcomes)} faults green", highlight=False)
        for outcome in red:
            tell(outcome, console)
    verdicts = []
    for mutation in chosen:
        verdicts.append(await judge(mutation, seed))
        _announce(verdicts[-1])
    seconds = time.monotonic() - began
    _show(verdicts, seconds)
    console.print(f"written to {_write(verdicts)}", highlight=False)
    return bool(verdicts) and all(one.caught for one in verdicts) and not red


def _announce(one: Verdict) -> None:
    by = f"caught by fault {one.caught_by} ({one.expected})" if one.caught else "SURVIVED"
    console.print(f"{one.mutation:22} {by}, {one.seconds:.0f} s, load {one.load_average}", highlight=False)
    for promise, whom in one.found.items():
        example = f"    {promise}: {one.broken[promise]}, such as {whom[0]}"[:LINE]
        console.print(example, markup=False, highlight=False, soft_wrap=True)
    for condition in one.conditions:
        console.print(f"    did not hold: {condition}", markup=False, highlight=False)


def _show(verdicts: Sequence[Verdict], seconds: float) -> None:
    table = Table("mutation", "what is broken", "caught by", "promise", "all that went red", title="Mutations")
    for one in verdicts:
        by = f"{one.caught_by} {one.fault}" if one.caught else "nothing: it survived"
        promise = f"{one.expected} {PROMISES[one.expected]}"
        table.add_row(one.mutation, one.what, by, promise, ", ".join(sorted(one.broken)) or "-")
    console.print(table)
    caught = sum(1 for one in verdicts if one.caught)
    console.print(f"{caught} of {len(verdicts)} caught in {seconds / 60:.1f} minutes", highlight=False)


def _write(verdicts: Sequence[Verdict]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "mutations.json"
    path.write_text(json.dumps([{**asdict(one), "caught": one.caught} for one in verdicts], indent=1) + "\n")
    return path


if __name__ == "__main__":
    typer.run(main)
