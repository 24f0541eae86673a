"""The check of the fault suite itself: each mutant must be caught, by the promise that it breaks.

`python -m tests.fault.mutations all` runs, for each mutation of the table, the faults that should catch it, on a system
of its own, and the same faults once on a sound system, where every promise must hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from herald.local.child import Child
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
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
console = Console()


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutant by name, the numbers of the faults that should catch it, and the promises of which each should find one
    broken, to somebody or something that `whom` says (anybody when empty).

    I6 is never among them: a mutant that hangs or dies proves nothing of the checker's arithmetic.
    """

    name: str
    faults: tuple[int, ...]
    promises: tuple[str, ...]
    whom: str = ""
    condition: str = ""
    """Instead of a promise, a condition of the fault that does not hold."""

    def caught(self, outcome: Outcome) -> str:
        """The expected promise that the outcome of a fault shows broken, or the condition; empty if none."""
        if self.condition and any(self.condition in one for one in outcome.conditions):
            return self.condition
        shown = (one for one in self.promises if any(self.whom in whom for whom in outcome.broken.get(one, ())))
        return next(shown, "")

    @property
    def what(self) -> str:
        return (MUTANTS[self.name].__doc__ or "").strip()


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("no-inbox", (16,), ("I2",)),
    Mutation("no-fence", (15,), ("I2",)),
    Mutation("acknowledge-first", (3,), ("I5",)),
    Mutation("commit-everything", (3,), ("I5",)),
    Mutation("effect-apart", (3,), ("I5",)),
    Mutation("dead-letters-unconfirmed", (18,), ("I5",)),
    Mutation("dead-letters-swallowed", (17,), ("I5",)),
    Mutation("neighbours-dead-lettered", (17,), ("I5",)),
    Mutation("cap-passes-over", (24,), ("I5",)),
    Mutation("publish-before-commit", (1,), ("I4", "I3", "I2")),
    Mutation("relay-by-id", (19,), ("I1",)),
    Mutation("any-order", (10,), ("I3",)),
    Mutation("deleted-before-ack", (10,), ("I1",)),
    Mutation("large-event-passed-over", (30,), ("I3",)),
    Mutation("tasks-left-ended", (31,), ("I1", "I8", "I5")),
    Mutation("lease-never-checked", (8,), ("I7",), whom="events"),
    Mutation("no-fencing", (8,), ("I7",), whom="events"),
    Mutation("not-idempotent", (12,), ("I7",), whom="events"),
    Mutation("no-spool", (10,), ("I8",)),
    Mutation("key-ignored", (1,), ("I2",)),
    Mutation("mail-noted-first", (28,), (), condition="everybody got each newsletter"),
    Mutation("mail-never-again", (29,), (), condition="everybody got each newsletter"),
)


@dataclass(slots=True)
class Verdict:
    """What became of a mutation. `caught_by` is the fault that found an expected `promise` broken; `found` holds some
    of the violations of every promise that it found broken, `broken` how many there were."""

    mutation: str
    what: str
    expected: tuple[str, ...]
    promise: str = ""
    caught_by: int | None = None
    fault: str = ""
    broken: dict[str, int] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    seconds: float = 0.0
    fault_seconds: float = 0.0
    load_average: float = 0.0

    @property
    def caught(self) -> bool:
        return self.caught_by is not None


async def meet(
    mutation: str,
    faults: Collection[int],
    seed: int,
    *,
    until: Callable[[Outcome], object] = lambda _: False,
    logs: Path | None = None,
    done: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """The faults one after the other on one system, up to the first that `until` holds of."""
    outcomes: list[Outcome] = []
    async with running_system(mutation) as system:
        run = await Run.begin(system, seed)
        if mutation != SOUND:  # what a mutant leaves undone is not waited for
            run.patience = STANDSTILL_SECONDS
        try:
            for fault in (one for one in FAULTS if one.number in faults):
                outcomes.append(await run.meet([fault], seed * 1000 + fault.number))
                done(outcomes[-1])
                if until(outcomes[-1]):
                    break
        finally:
            if logs is not None:
                shutil.copytree(system.home.logs, logs / (mutation or "sound"), dirs_exist_ok=True)
            await run.end()
    return outcomes


async def judge(mutation: Mutation, seed: int, logs: Path | None = None) -> Verdict:
    """Bring the mutation before its faults."""
    began = time.monotonic()
    verdict = Verdict(mutation.name, mutation.what, mutation.promises)
    for outcome in await meet(mutation.name, mutation.faults, seed, until=mutation.caught, logs=logs):
        verdict.fault, verdict.fault_seconds = outcome.name, outcome.seconds
        verdict.broken = {promise: len(whom) for promise, whom in outcome.broken.items()}
        verdict.found = {promise: whom[:EXAMPLES] for promise, whom in outcome.broken.items()}
        verdict.conditions = outcome.conditions
        if promise := mutation.caught(outcome):
            verdict.caught_by, verdict.promise = outcome.fault, promise
    verdict.seconds = round(time.monotonic() - began, 1)
    verdict.load_average = round(os.getloadavg()[0], 1)
    return verdict


@app.command("one")
def judge_one(name: str, verdict: Path, seed: int = 1, logs: Path | None = None) -> None:
    """Bring one mutation before its faults and write the verdict to a file."""
    mutation = next(one for one in MUTATIONS if one.name == name)
    verdict.write_text(json.dumps(asdict(asyncio.run(judge(mutation, seed, logs)))))


@app.command("all")
def judge_all(
    seed: Annotated[int, typer.Option(help="What is drawn depends on it alone.")] = 1,
    only: Annotated[str, typer.Option(help="Names of mutations, comma between.")] = "",
    at_once: Annotated[int, typer.Option(help="How many systems run side by side.")] = 2,
    sound: Annotated[bool, typer.Option(help="Run the same faults on a sound system first.")] = True,
    logs: Annotated[Path | None, typer.Option(help="Where the processes' logs go.")] = None,
) -> None:
    """Each mutant must be caught; the exit code says whether all were, and whether the sound system was not."""
    chosen = [one for one in MUTATIONS if not only or one.name in only.split(",")]
    raise typer.Exit(0 if asyncio.run(check(chosen, seed, at_once=at_once, sound=sound, logs=logs)) else 1)


async def check(
    chosen: Sequence[Mutation], seed: int, *, at_once: int = 1, sound: bool = True, logs: Path | None = None
) -> bool:
    """Whether every mutation was caught and no fault is red by itself. Writes `results/mutations.json`."""
    began = time.monotonic()
    faults = {number for one in chosen for number in one.faults}
    outcomes = await meet(SOUND, faults, seed, logs=logs, done=_announce_sound) if sound else []
    places = asyncio.Semaphore(at_once)
    with tempfile.TemporaryDirectory(prefix="herald-mutations-") as folder:
        verdicts = await asyncio.gather(*(_apart(one, seed, Path(folder), places, logs) for one in chosen))
    _show(verdicts, time.monotonic() - began)
    console.print(f"written to {_write(verdicts)}", highlight=False)
    return bool(verdicts) and all(one.caught for one in verdicts) and all(one.ok for one in outcomes)


async def _apart(mutation: Mutation, seed: int, folder: Path, places: asyncio.Semaphore, logs: Path | None) -> Verdict:
    """The verdict of a process of its own. One that comes to none has caught nothing."""
    file = folder / f"{mutation.name}.json"
    argv = [sys.executable, "-m", "tests.fault.mutations", "one", mutation.name, str(file), "--seed", str(seed)]
    argv += ["--logs", str(logs)] if logs is not None else []
    async with places:
        child = Child(mutation.name, argv, folder / f"{mutation.name}.log")
        await child.start()
        await child.wait()
    if file.exists():
        verdict = Verdict(**json.loads(file.read_text()))
    else:
        verdict = Verdict(mutation.name, mutation.what, mutation.promises, conditions=[child.last_words()])
    _announce(verdict)
    return verdict


def _announce_sound(outcome: Outcome) -> None:
    said = f"{outcome.fault:>4} {'green' if outcome.ok else 'RED'} on a sound system: {outcome.name}"
    console.print(f"{said}, {outcome.seconds:.0f} s", highlight=False)
    tell(outcome, console)


def _announce(one: Verdict) -> None:
    by = f"caught by fault {one.caught_by} ({one.promise})" if one.caught else "SURVIVED"
    took = f"{one.seconds:.0f} s ({one.fault_seconds:.0f} of them the fault), load {one.load_average}"
    console.print(f"{one.mutation:22} {by}, {took}", highlight=False)
    for promise, whom in one.found.items():
        example = f"    {promise}: {one.broken[promise]}, such as {whom[0]}"[:LINE]
        console.print(example, markup=False, highlight=False, soft_wrap=True)
    for condition in one.conditions:
        console.print(f"    did not hold: {condition}", markup=False, highlight=False)


def _show(verdicts: Sequence[Verdict], seconds: float) -> None:
    table = Table("mutation", "what is broken", "caught by", "promise", "all that went red", title="Mutations")
    for one in verdicts:
        by = f"{one.caught_by} {one.fault}" if one.caught else "nothing: it survived"
        named = f"{one.promise} {PROMISES.get(one.promise, '')}".strip()
        promise = named if one.caught else f"not {' or '.join(one.expected)}"
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
    app()
