"""Herald's consumers against their floors: the same day of engagements, from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench.engagements import Log
from bench.frame import Comparison, Findings, Limit, Round, Size
from bench.harness import Harness, answers, herald, process

KNOWN = ("programs",)
PACKAGES = ("aiokafka", "faststream", "pymongo", "pydantic", "orjson", "uvloop")


@contextmanager
def reading(harness: Harness, log: Log, service: str, *, module: str = "herald") -> Iterator[int]:
    """Herald's worker of a service; yields its process."""
    port = harness.free_port()
    argv, env = herald(service, "worker", port=port, module=module)
    with process(argv, {**harness.environment(log.namespace), **env}, harness.folder / f"{service}.log") as pid:
        answers(f"http://127.0.0.1:{port}/health/live")
        yield pid


@contextmanager
def floor_reading(harness: Harness, log: Log, service: str) -> Iterator[int]:
    """The service's floor; yields its process."""
    argv = ["-m", "bench.floors", service]
    with process(argv, harness.environment(log.namespace), harness.folder / f"floor-{service}.log") as pid:
        yield pid


@contextmanager
def comparison(service: str, same: dict[str, str], harness: Harness, size: Size) -> Iterator[Comparison]:
    """Events a second of both. `same` names collections with the field whose sum must be the same in both."""
    log = Log(harness, size.events)
    try:
        learn(harness, log, service)
        yield Comparison(
            floor=partial(_rate, harness, log, service, True),
            herald=partial(_rate, harness, log, service, False),
            findings=partial(_findings, log, service, same),
        )
    finally:
        log.close()


def learn(harness: Harness, log: Log, service: str) -> None:
    """Let the service hear of the programme, then fill the topic."""
    with reading(harness, log, service):
        log.wait_for_program(service)
    log.fill()


def _rate(harness: Harness, log: Log, service: str, of_floor: bool) -> float:
    reader = f"floor-{service}" if of_floor else service
    log.begin_anew(reader, keep=KNOWN)
    with (floor_reading if of_floor else reading)(harness, log, service):
        return log.rate(reader)


def _findings(log: Log, service: str, same: dict[str, str], rounds: Sequence[Round]) -> Findings:
    """How much of what both leave in MongoDB differs: nothing may."""
    sums = {reader: sums_of(log, reader, same) for reader in (service, f"floor-{service}")}
    herald, floor = sums.values()
    differing = sum(herald[name] != floor[name] for name in same)
    figures = {"events": log.count, "bytes_on_topic": log.bytes, "left_by_herald": herald, "left_by_floor": floor}
    return Findings((Limit("differing sums", differing, 1, "of what both leave"),), figures)


def sums_of(log: Log, reader: str, fields: dict[str, str]) -> dict[str, Any]:
    """Documents and the sum of a field, by collection."""
    database = log.database(reader)
    found = {}
    for name, field in fields.items():
        rows = list(database[name].aggregate([{"$group": {"_id": None, "sum": {"$sum": f"${field}"}}}]))
        found[name] = [database[name].count_documents({}), rows[0]["sum"] if rows else 0]
    return found
