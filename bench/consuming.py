"""Herald's consumers against their floors: the same day of engagements, from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench.engagements import Log
from bench.frame import Contest, Findings, Limit, Round, Size
from bench.stand import Stand, answers, herald, process

KNOWN = ("programs",)
PACKAGES = ("aiokafka", "faststream", "pymongo", "pydantic", "orjson", "uvloop")


@contextmanager
def reading(stand: Stand, log: Log, service: str, *, module: str = "herald") -> Iterator[int]:
    """Herald's worker of a service; yields its process."""
    port = stand.free_port()
    argv, env = herald(service, "worker", port=port, module=module)
    with process(argv, {**stand.environment(log.namespace), **env}, stand.folder / f"{service}.log") as pid:
        answers(f"http://127.0.0.1:{port}/health/live")
        yield pid


@contextmanager
def floor_reading(stand: Stand, log: Log, service: str) -> Iterator[int]:
    """The service's floor; yields its process."""
    argv = ["-m", "bench.floors", service]
    with process(argv, stand.environment(log.namespace), stand.folder / f"floor-{service}.log") as pid:
        yield pid


@contextmanager
def contest(service: str, same: dict[str, str], stand: Stand, size: Size) -> Iterator[Contest]:
    """Events a second of both. `same` names collections with the field whose sum must be the same in both."""
    log = Log(stand, size.events)
    try:
        learn(stand, log, service)
        yield Contest(
            floor=partial(_rate, stand, log, service, True),
            herald=partial(_rate, stand, log, service, False),
            findings=partial(_findings, log, service, same),
        )
    finally:
        log.close()


def learn(stand: Stand, log: Log, service: str) -> None:
    """Let the service hear of the programme, then fill the topic."""
    with reading(stand, log, service):
        log.wait_for_program(service)
    log.fill()


def _rate(stand: Stand, log: Log, service: str, of_floor: bool) -> float:
    reader = f"floor-{service}" if of_floor else service
    log.begin_anew(reader, keep=KNOWN)
    with (floor_reading if of_floor else reading)(stand, log, service):
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
