"""What every bench has in common: rounds that alternate, a ratio with its spread, and where and how it was measured.

A ratio says how near Herald comes to its floor: 1 is as good as the floor, whichever way the unit counts.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from bench.harness import Harness

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
NAMES = ("redirect", "metrics", "gamification", "outbox", "endtoend", "cpu", "startup", "mail")
BESIDE = ("drivers", "footprint")
ADDITIONS = 2_000_000
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
HEAD = ("bench", "what is counted", "floor", "Herald", "ratio, median (min to max)", "aim", "reached", "load", "speed")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    events: int


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured once: both in the bench's unit; no floor where there is nothing to compare with."""

    floor: float | None
    herald: float
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure that must stay below a bound."""

    name: str
    value: float
    bound: float
    unit: str

    @property
    def ok(self) -> bool:
        return self.value < self.bound

    def __str__(self) -> str:
        return f"{self.name} {self.value:,.4g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a bench says beside its ratio."""

    limits: Sequence[Limit] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, ready to be measured; `findings` is asked once, after the last round."""

    herald: Callable[[], float]
    floor: Callable[[], float] | None = None
    findings: Callable[[Sequence[Round]], Findings] = lambda _: Findings()


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench: `open` prepares both sides and cleans up after them.

    `aim` is the least median ratio; `better` tells whether more or less of `unit` is better.
    """

    name: str
    counted: str
    unit: str
    aim: float | None
    size: Size
    packages: tuple[str, ...]
    open: Callable[[Harness, Size], AbstractContextManager[Comparison]]
    better: Literal["more", "less"] = "more"


def find(name: str) -> Bench:
    """The bench of that name."""
    bench: Bench = import_module(f"bench.{name}").BENCH
    return bench


def run(bench: Bench, harness: Harness, size: Size, *, command: str, say: Say) -> dict[str, Any]:
    """All rounds of a bench and what they found, as its result file holds it."""
    before = os.getloadavg()
    rounds: list[Round] = []
    speeds: list[float] = []
    with bench.open(harness, size) as comparison:
        for number in range(size.rounds):
            speeds.append(speed())
            one = _round(bench, comparison, floor_first=number % 2 == 0)
            rounds.append(one)
            say(f"{bench.name} {number + 1}/{size.rounds}: {_described(one, bench.unit)}")
        findings = comparison.findings(rounds)
        speeds.append(speed())
    for limit in findings.limits:
        say(f"{bench.name}: {limit} (to be under {limit.bound:,.4g} {limit.unit})")
    versions = {name: version(name) for name in bench.packages} | harness.versions()
    loads = {"before": _load(before), "after": _load(os.getloadavg())}
    here = {**machine(), "load": loads, "speed": [round(one, 1) for one in speeds]}
    return result(bench, rounds, findings, command=command, machine=here, versions=versions)


def _round(bench: Bench, comparison: Comparison, *, floor_first: bool) -> Round:
    if comparison.floor is None:
        return Round(None, comparison.herald(), None)
    if floor_first:
        floor = comparison.floor()
        herald = comparison.herald()
    else:
        herald = comparison.herald()
        floor = comparison.floor()
    return Round(floor, herald, ratio(bench.better, floor, herald))


def ratio(better: Literal["more", "less"], floor: float, herald: float) -> float:
    """How near Herald comes to its floor."""
    return herald / floor if better == "more" else floor / herald


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Least, median and greatest; None of each where there are no values."""
    if not values:
        return {"min": None, "median": None, "max": None}
    return {"min": _short(min(values)), "median": _short(statistics.median(values)), "max": _short(max(values))}


def result(
    bench: Bench,
    rounds: Sequence[Round],
    findings: Findings,
    *,
    command: str,
    machine: Mapping[str, Any],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """The content of `results/<name>.json`."""
    ratios = [one.ratio for one in rounds if one.ratio is not None]
    near_enough = bench.aim is None or (bool(ratios) and statistics.median(ratios) >= bench.aim)
    return {
        "name": bench.name,
        "counted": bench.counted,
        "unit": bench.unit,
        "command": command,
        "machine": dict(machine),
        "versions": dict(versions),
        "rounds": [{name: _short(value) for name, value in asdict(one).items()} for one in rounds],
        "ratio": spread(ratios),
        "aim": bench.aim,
        "limits": [{**asdict(limit), "value": _short(limit.value), "ok": limit.ok} for limit in findings.limits],
        "figures": dict(findings.figures),
        "ok": near_enough and all(limit.ok for limit in findings.limits),
    }


def machine() -> dict[str, Any]:
    """What this is measured on."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def speed() -> float:
    """How many million integers one core adds in Python in a second, now: neighbours on a shared machine change it."""
    began, total = time.perf_counter(), 0
    for number in range(ADDITIONS):
        total += number
    return ADDITIONS / (time.perf_counter() - began) / 1e6


def write(found: Mapping[str, Any]) -> Path:
    """Keeps a result; returns its file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{found['name']}.json"
    file.write_text(json.dumps(found, indent=1) + "\n")
    return file


def kept() -> list[dict[str, Any]]:
    """The results on disk, in the order of the benches."""
    files = [RESULTS / f"{name}.json" for name in NAMES]
    return [json.loads(file.read_text()) for file in files if file.exists()]


def row(found: Mapping[str, Any]) -> tuple[str, ...]:
    """A result as a line of the table, in the order of `HEAD`."""
    rounds, spread_of = found["rounds"], found["ratio"]
    floors = [one["floor"] for one in rounds if one["floor"] is not None]
    limits = [f"{one['name']} {_figure(one['value'])} {one['unit']}" for one in found["limits"]]
    aims = [] if found["aim"] is None else [f"≥ {found['aim']}"]
    aims += [f"{one['name']} < {_figure(one['bound'])} {one['unit']}" for one in found["limits"]]
    ratios = "–"
    if spread_of["median"] is not None:
        ratios = f"{spread_of['median']:.2f} ({spread_of['min']:.2f} to {spread_of['max']:.2f})"
    load, speeds = found["machine"]["load"], found["machine"]["speed"]
    return (
        found["name"],
        f"{found['counted']} ({found['unit']})",
        _figure(statistics.median(floors)) if floors else "–",
        "; ".join([_figure(statistics.median([one["herald"] for one in rounds])), *limits]),
        ratios,
        "; ".join(aims) or "–",
        "yes" if found["ok"] else "no",
        f"{load['before'][0]} to {load['after'][0]}",
        f"{min(speeds)} to {max(speeds)}",
    )


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The table that docs/performance.md quotes, and what it was measured with."""
    if not results:
        return "Nothing was measured here yet: `make bench`.\n"
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(row(found)) + " |" for found in results]
    where = results[-1]["machine"]
    versions = {name: number for found in results for name, number in found["versions"].items()}
    lines += [
        "",
        f"Measured with `make bench` on {where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB, "
        f"{where['system']}; load is the average of one minute before and after, speed how many million integers one "
        "core added in Python in a second, before each round and after the last. Versions: "
        + ", ".join(f"{name} {number}" for name, number in sorted(versions.items(), key=lambda one: one[0].lower()))
        + ".",
    ]
    return "\n".join(lines) + "\n"


def quoted(page: str, table: str) -> str:
    """The page with the table between its marks. Raises ValueError where there are none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table}{END}{after}"


def _described(one: Round, unit: str) -> str:
    if one.floor is None or one.ratio is None:
        return f"{_figure(one.herald)} {unit}"
    return f"floor {_figure(one.floor)}, Herald {_figure(one.herald)} {unit}, ratio {one.ratio:.2f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _load(loads: Sequence[float]) -> list[float]:
    return [round(one, 1) for one in loads]
