"""The one table of faults: how each is brought about, what bounds it, and what it may repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.fault.harness import FaultHarness
from tests.fault.inject import lanes, mails, processes, records, servers

RECOVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that Herald must survive. Every promise is checked after each.

    I7 allows for each interruption of a process the events that were in flight at that moment, and for each send that
    a process tells was not confirmed the events of that send. `rereads` says that records are delivered again from
    offset 0, so that dead letters may come again. `recovery` bounds I6. `fast` ones belong to `make test`. `handles`
    are the processes and servers that it takes into its hands or cannot do without, and the crowd of people: two faults
    whose hands do not meet may come together, one that handles "all" with none.
    """

    number: int
    name: str
    inject: Callable[[FaultHarness], Awaitable[None]]
    rereads: bool = False
    recovery: float = RECOVERY_SECONDS
    fast: bool = False
    handles: frozenset[str] = frozenset()


def _on(names: str) -> frozenset[str]:
    return frozenset(names.split())


FAULTS: tuple[Fault, ...] = (
    Fault(1, "crash before and after the commit of a request", processes.crash_at_commit, handles=_on("apis crowd")),
    Fault(
        2,
        "crash after Kafka's ack, before the row is gone",
        processes.crash_after_ack,
        fast=True,
        handles=_on("workers crowd"),
    ),
    Fault(3, "crash around a consumer's commit", processes.crash_around_transaction, handles=_on("workers crowd")),
    Fault(4, "random SIGKILL of every process", processes.random_kills, handles=_on("apis workers links")),
    Fault(5, "SIGTERM under load, over every role", processes.rolling_terms, handles=_on("apis workers links")),
    Fault(
        6,
        "SIGTERM while the broker is dead",
        processes.terms_without_broker,
        handles=_on("apis workers links kafka"),
    ),
    Fault(7, "a consumer stopped past its session", processes.stopped_consumer, handles=_on("workers")),
    Fault(8, "the lease holder stopped past its lease", processes.stopped_lease_holder, handles=_on("workers mongod")),
    Fault(9, "broker killed and started again", servers.broker_killed, handles=_on("kafka")),
    Fault(10, "broker stopped", servers.broker_stopped, handles=_on("kafka")),
    Fault(
        11,
        "broker unreachable at start",
        servers.broker_away_at_start,
        handles=_on("apis workers links kafka"),
    ),
    Fault(12, "produce responses dropped", servers.answers_dropped, handles=_on("kafka")),
    Fault(13, "rebalance storm", records.rebalance_storm, handles=_on("kafka")),
    Fault(14, "a handler slower than the poll interval", processes.slow_handler, handles=_on("all")),
    Fault(15, "offsets reset to 0", records.offsets_reset, rereads=True, handles=_on("all")),
    Fault(16, "events published again", records.published_again, fast=True, handles=_on("kafka")),
    Fault(17, "poison of every kind", records.poisoned, fast=True, handles=_on("workers")),
    Fault(18, "dead-letter topics unavailable", records.dead_letters_unavailable, handles=_on("kafka")),
    Fault(19, "mongod killed, stopped, stepping down", servers.mongod_faults, handles=_on("mongod")),
    Fault(20, "Redis killed and flushed", servers.redis_faults, handles=_on("redis crowd")),
    Fault(21, "the next version side by side", processes.versions_side_by_side, handles=_on("workers")),
    Fault(
        22,
        "everything killed, cold start",
        processes.everything_killed,
        fast=True,
        handles=_on("all"),
    ),
    Fault(
        23,
        "the telemetry collector is a black hole",
        processes.collector_black_hole,
        handles=_on("apis workers links"),
    ),
    Fault(24, "a flood of poison among good records", records.flooded, handles=_on("all")),
    Fault(28, "the sender of mails killed", mails.sender_killed, handles=_on("workers crowd")),
    Fault(29, "SMTP answers 4xx, 5xx, half a reply, nothing", mails.smtp_misbehaves, handles=_on("crowd")),
    Fault(30, "a topic missing, an event too large", lanes.lanes_stopped, handles=_on("workers kafka crowd")),
    Fault(31, "every background task ended in turn", processes.tasks_ended, handles=_on("apis workers links crowd")),
)
