"""The arithmetic: from what one of each thing costs and how many there are, to pods, disks and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from bench.capacity.assumptions import Assumptions
from bench.capacity.measured import SERVERS, Measured
from herald.operations.topics import Topic, load_topics

CHART = Path(__file__).parents[2] / "deploy/helm/herald/values.yaml"
HOUR, MONTH_HOURS, YEAR = 3_600.0, 730.0, 365.0
GIB, MIB = 2.0**30, 2.0**20
MAIL_RATE = 20.0
FILE_ROWS = 100_000
"""Of a file of people, at 24 MiB."""
PEAK = ("share", "click", "view")
DIRECT = "herald.clicks"


@dataclass(frozen=True, slots=True)
class Work:
    """How much there is to do: a day's, and a second's in the busiest hour, which a newsletter falls into."""

    shares_a_day: float
    clicks_a_day: float
    a_second: Mapping[str, float]

    @classmethod
    def of(cls, ambassadors: int, assumed: Assumptions) -> Work:
        shares = ambassadors * assumed.shares / 5
        clicks = shares * assumed.clicks
        peak = assumed.busiest_hour / HOUR
        views = ambassadors * assumed.readers * assumed.views / HOUR
        return cls(shares, clicks, {"share": shares * peak, "click": clicks * peak, "view": views})


@dataclass(frozen=True, slots=True)
class Role:
    """A role in the busiest hour: cores in use, pods, and MiB of a pod."""

    cores: float
    pods: int
    mib: float


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that ends: how many ambassadors it is enough for, and what to do then."""

    what: str
    ambassadors: float
    then: str
    by: Literal["measured", "a setting", "assumed"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What so many ambassadors take. Bytes are of one copy, a year's where they are kept for good."""

    ambassadors: int
    work: Work
    roles: Mapping[str, Role]
    servers: Mapping[str, float]
    partitions: Mapping[str, int]
    mongo: Mapping[str, float]
    kafka_a_day: Mapping[str, float]
    kafka: float
    redis: float
    cores_used_a_month: float
    cores_requested: float
    memory_gib: float
    disk_gib: float
    limits: list[Limit]


def capacity(ambassadors: int, measured: Measured, assumed: Assumptions) -> Capacity:
    """The whole of it."""
    work = Work.of(ambassadors, assumed)
    roles = {name: _role(name, work, measured, assumed) for name in measured.roles}
    servers = {name: _cores(name, work, measured) / assumed.busy for name in SERVERS}
    mongo = _mongo(ambassadors, work, measured, assumed)
    daily = _kafka_a_day(work, measured)
    kept = _kafka_kept(ambassadors, daily, measured, assumed)
    redis = _redis(ambassadors, work, measured)
    memory = sum(one.pods * one.mib for one in roles.values()) * MIB
    servers_memory = assumed.copies * (2 * assumed.server_gib * GIB + assumed.hot * sum(mongo.values())) + 2 * redis
    return Capacity(
        ambassadors,
        work,
        roles,
        servers,
        _partitions(roles),
        mongo,
        daily,
        kept,
        redis,
        _used(roles, work, measured, assumed),
        sum(one.cores for one in roles.values()) / assumed.busy
        + assumed.copies * (servers["kafka"] + servers["mongod"])
        + servers["redis"],
        (memory + servers_memory) / GIB,
        assumed.copies * (sum(mongo.values()) + kept) / GIB,
        sorted(_limits(ambassadors, work, roles, mongo, measured, assumed), key=lambda one: one.ambassadors),
    )


def _cores(process: str, work: Work, measured: Measured) -> float:
    """In the busiest hour."""
    busy = sum(work.a_second[what] * measured.of_one[what].cpu_ms.get(process, 0) for what in PEAK) / 1000
    return busy + measured.idle_millicores.get(process, 0) / 1000


def _role(name: str, work: Work, measured: Measured, assumed: Assumptions) -> Role:
    """A process is one event loop, and so one core at most; two pods at least, for the sake of updates."""
    cores = _cores(name, work, measured)
    return Role(cores, max(2, math.ceil(cores / assumed.busy)), max(192.0, measured.memory_mb[name] * 1e6 / MIB * 1.3))


def _used(roles: Mapping[str, Role], work: Work, measured: Measured, assumed: Assumptions) -> float:
    """Core-hours of a month with as many working days as others have."""
    each = {"share": work.shares_a_day, "click": work.clicks_a_day}
    a_day = sum(count * sum(measured.of_one[what].cpu_ms.values()) for what, count in each.items()) / 1000 / HOUR
    views = work.a_second["view"] * HOUR * sum(measured.of_one["view"].cpu_ms.values()) / 1000 / HOUR
    idle = sum(one.pods * measured.idle_millicores.get(name, 0) for name, one in roles.items())
    idle += sum(measured.idle_millicores.get(name, 0) for name in SERVERS) * assumed.copies
    return (a_day + views) * assumed.days / 12 + idle / 1000 * MONTH_HOURS


def _mongo(ambassadors: int, work: Work, measured: Measured, assumed: Assumptions) -> dict[str, float]:
    """Bytes by service after a year."""
    found: dict[str, float] = {}
    a_year = {"share": work.shares_a_day * assumed.days, "click": work.clicks_a_day * assumed.days}
    once = {"person": ambassadors * assumed.people, "ambassador": float(ambassadors)}
    for what, count in {**a_year, **once}.items():
        for collection, bytes_ in measured.of_one[what].mongo_bytes.items():
            days = measured.kept_days.get(collection)
            part = 1.0 if days is None else min(1.0, days / YEAR) if what in a_year else 0.0
            service = collection.partition(".")[0]
            found[service] = found.get(service, 0.0) + count * part * bytes_
    return dict(sorted(found.items()))


@cache
def _topics() -> Mapping[str, Topic]:
    return {topic.name: topic for topic in load_topics()}


def _kafka_a_day(work: Work, measured: Measured) -> dict[str, float]:
    found: dict[str, float] = {}
    for what, count in (("share", work.shares_a_day), ("click", work.clicks_a_day)):
        for topic, bytes_ in measured.of_one[what].kafka_bytes.items():
            found[topic] = found.get(topic, 0.0) + count * bytes_
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def _kafka_kept(ambassadors: int, daily: Mapping[str, float], measured: Measured, assumed: Assumptions) -> float:
    """Bytes after a year."""
    kept = 0.0
    for topic, bytes_ in daily.items():
        days = _topics()[topic].retention_days
        kept += bytes_ * (assumed.days if days == "unlimited" else min(assumed.days, days))
    for what, count in (("person", ambassadors * assumed.people), ("ambassador", float(ambassadors))):
        kept += count * sum(measured.of_one[what].kafka_bytes.values())
    return kept


def _redis(ambassadors: int, work: Work, measured: Measured) -> float:
    """A day's: what is cached ends within hours, leaderboards stay."""
    of = measured.of_one
    return (
        ambassadors * of["ambassador"].redis_bytes
        + work.shares_a_day * of["share"].redis_bytes
        + work.clicks_a_day * of["click"].redis_bytes
    )


def _partitions(roles: Mapping[str, Role]) -> dict[str, int]:
    """Of each topic as many as it has, and twice as many as the largest of its consumers has pods."""
    found = {}
    for name, topic in _topics().items():
        pods = [roles[f"{one.group}-worker"].pods for one in topic.consumers if f"{one.group}-worker" in roles]
        wanted = 2 * max(pods, default=0)
        if pods:
            found[name] = max(topic.partitions, wanted)
    return found


@cache
def _most_pods() -> Mapping[str, int]:
    """What the chart's autoscalers go up to."""
    values: Any = yaml.safe_load(CHART.read_text("utf-8"))
    return {
        f"{service}-{role}": row["autoscaling"]["max"]
        for service, one in values["services"].items()
        for role, row in one["roles"].items()
    }


def _limits(
    ambassadors: int,
    work: Work,
    roles: Mapping[str, Role],
    mongo: Mapping[str, float],
    measured: Measured,
    assumed: Assumptions,
) -> list[Limit]:
    found = [
        Limit(
            f"a newsletter within {assumed.mail_hours:g} h",
            MAIL_RATE * assumed.mail_hours * HOUR,
            "agree on a higher `HERALD_MAIL_RATE` with who runs the mail server, or send by wave",
            "a setting",
        ),
        Limit(
            "one file of people",
            FILE_ROWS / assumed.people,
            "several files, or SCIM",
            "a setting",
        ),
        Limit(
            f"a disk of {assumed.disk_gib:,.0f} GiB in a year",
            ambassadors * assumed.disk_gib * GIB / sum(mongo.values()),
            "larger disks, or shards: ledger and facts are kept for good",
            "measured",
        ),
    ]
    for name, role in roles.items():
        busy = role.cores - measured.idle_millicores.get(name, 0) / 1000
        if busy > 0:
            found.append(
                Limit(
                    f"`{name}` with its {_most_pods()[name]} pods",
                    ambassadors * _most_pods()[name] * assumed.busy / busy,
                    f"`autoscaling.max` of {name.replace('-', '.')}"
                    + (", and partitions" if name.endswith("worker") else ""),
                    "measured",
                )
            )
    found += [
        Limit(
            f"the one relay of `{service}`",
            ambassadors * measured.rates["outbox"] * assumed.busy / events,
            "events come later; nothing is lost",
            "measured",
        )
        for service in ("sharing", "gamification")
        if (events := _events(service, work, measured))
    ]
    return found


def _events(service: str, work: Work, measured: Measured) -> float:
    """That leave by the service's outbox, a second in the busiest hour; clicks go straight to Kafka."""
    topics = [name for name, topic in _topics().items() if topic.owner == service and name != DIRECT]
    return sum(
        work.a_second[what] * measured.of_one[what].kafka_records.get(topic, 0) for what in PEAK for topic in topics
    )
