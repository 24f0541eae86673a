"""The measured figures that the model takes, kept in the repository."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FILE = Path(__file__).with_name("measured.json")
OF_RATES = ("redirect", "metrics", "gamification", "outbox")
FRONT = "gateway-api"
SERVERS = ("kafka", "mongod", "redis")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one thing: milliseconds of CPU by process, bytes by `service.collection`, by topic and in Redis, records by
    topic."""

    cpu_ms: Mapping[str, float]
    mongo_bytes: Mapping[str, float]
    kafka_bytes: Mapping[str, float]
    kafka_records: Mapping[str, float]
    redis_bytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the benches found. `rates`: of `OF_RATES`, things a second that one process stands."""

    rates: Mapping[str, float]
    of_one: Mapping[str, Cost]
    idle_millicores: Mapping[str, float]
    memory_mb: Mapping[str, float]
    kept_days: Mapping[str, float]
    sources: Sequence[Mapping[str, Any]]

    @property
    def roles(self) -> list[str]:
        """The roles that a deployment has."""
        return [name for name in self.memory_mb if name not in (*SERVERS, FRONT)]


def kept(content: Mapping[str, Any]) -> Measured:
    """What the file says."""
    footprint = content["footprint"]["figures"]
    fields = ("cpu_ms", "mongo_bytes", "kafka_bytes", "kafka_records", "redis_bytes")
    return Measured(
        rates={name: content[name]["figures"]["a_second"] for name in OF_RATES},
        of_one={name: Cost(**{key: one[key] for key in fields}) for name, one in footprint["of_one"].items()},
        idle_millicores=footprint["idle_millicores"],
        memory_mb=footprint["memory_mb"],
        kept_days=footprint["kept_days"],
        sources=[{"bench": name, **{key: one[key] for key in ("command", "machine")}} for name, one in content.items()],
    )


def read() -> Measured:
    return kept(json.loads(FILE.read_text("utf-8")))


def excerpt(result: Mapping[str, Any]) -> dict[str, Any]:
    """Of a bench's result what the model takes."""
    machine = {key: result["machine"][key] for key in ("processor", "cores", "memory_gib", "load", "speed")}
    figures: Mapping[str, Any] = result["figures"]
    if result["name"] in OF_RATES:
        figures = {"a_second": round(median(one["herald"] for one in result["rounds"]))}
    return {"command": result["command"], "machine": machine, "figures": figures}


def keep(results: Path) -> list[str]:
    """Take what the last benches found into the file; which."""
    content = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    taken = []
    for name in (*OF_RATES, "footprint"):
        file = results / f"{name}.json"
        if file.exists():
            content[name] = excerpt(json.loads(file.read_text("utf-8")))
            taken.append(name)
    FILE.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return taken
