"""What the model says, as tables for docs/operations/sizing.md and for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bench.capacity.assumptions import Assumptions
from bench.capacity.measured import Measured
from bench.capacity.model import GIB, MIB, Capacity, Limit

PAGE = Path(__file__).parents[2] / "docs/operations/sizing.md"
BEGIN, END = "<!-- capacity:begin -->", "<!-- capacity:end -->"
LIMITS = 8


@dataclass(frozen=True, slots=True)
class Prices:
    """What an operator pays, in a currency of theirs: a core for an hour, a GiB of memory and of disk for a month."""

    core_hour: float = 0.0
    memory_gib_month: float = 0.0
    disk_gib_month: float = 0.0

    def a_month(self, one: Capacity) -> float:
        """By what is requested, not by what is used."""
        cores = one.cores_requested * 730 * self.core_hour
        return cores + one.memory_gib * self.memory_gib_month + one.disk_gib * self.disk_gib_month


def figure(value: float) -> str:
    """Two figures that count, as many as such an estimate has."""
    if value == 0:
        return "0"
    if value >= 1000:
        rounded = float(f"{value:.2g}")
        return f"{rounded:,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def size(bytes_: float) -> str:
    return f"{figure(bytes_ / GIB)} GiB" if bytes_ >= GIB else f"{figure(bytes_ / MIB)} MiB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


Told = Callable[[Capacity], str]


def _rows(found: Sequence[Capacity], rows: Mapping[str, Told]) -> str:
    head = ["ambassadors", *(f"{one.ambassadors:,}" for one in found)]
    return table(head, [[name, *(told(one) for one in found)] for name, told in rows.items()])


def work(found: Sequence[Capacity]) -> str:
    return _rows(found, {
        "shares a day": lambda one: figure(one.work.shares_a_day),
        "clicks a day": lambda one: figure(one.work.clicks_a_day),
        "shares a second in the busiest hour": lambda one: figure(one.work.a_second["share"]),
        "clicks a second": lambda one: figure(one.work.a_second["click"]),
        "pages a second, after a newsletter": lambda one: figure(one.work.a_second["view"]),
    })  # fmt: skip


def pods(found: Sequence[Capacity]) -> str:
    def told(name: str) -> Told:
        return lambda one: f"{one.roles[name].pods} ({figure(one.roles[name].cores)} cores)"

    def server(name: str) -> Told:
        return lambda one: f"{figure(one.servers[name])} cores a member"

    roles = {f"`{name}`": told(name) for name in found[0].roles}
    return _rows(found, {**roles, "MongoDB": server("mongod"), "Kafka": server("kafka"), "Redis": server("redis")})


def partitions(found: Sequence[Capacity]) -> str:
    def told(topic: str) -> Told:
        return lambda one: str(one.partitions[topic])

    return _rows(found, {f"`{topic}`": told(topic) for topic in found[0].partitions})


def storage(found: Sequence[Capacity]) -> str:
    def service(name: str) -> Told:
        return lambda one: size(one.mongo.get(name, 0))

    def topic(name: str) -> Told:
        return lambda one: size(one.kafka_a_day.get(name, 0))

    return _rows(found, {
        **{f"MongoDB of `{name}`, a year": service(name) for name in found[-1].mongo},
        **{f"`{name}`, a day": topic(name) for name in found[-1].kafka_a_day},
        "Kafka, a day": lambda one: size(sum(one.kafka_a_day.values())),
        "Kafka, what is kept of a year": lambda one: size(one.kafka),
        "Redis": lambda one: size(one.redis),
    })  # fmt: skip


def costs(found: Sequence[Capacity], prices: Prices) -> str:
    rows: dict[str, Told] = {
        "cores, at the peak and with room": lambda one: figure(one.cores_requested),
        "core-hours in use a month": lambda one: figure(one.cores_used_a_month),
        "GiB of memory": lambda one: figure(one.memory_gib),
        "GiB of disk after a year, all copies": lambda one: figure(one.disk_gib),
    }
    if prices != Prices():
        rows["a month, at your prices"] = lambda one: figure(prices.a_month(one))
    return _rows(found, rows)


def limits(found: Sequence[Limit]) -> str:
    rows = [[figure(one.ambassadors), one.what, one.by, one.then] for one in found]
    return table(["enough for", "what", "by", "then"], rows)


def assumptions(assumed: Assumptions) -> str:
    said = (one.metadata["says"].format(f"{getattr(assumed, one.name):,g}") for one in fields(assumed))
    return "".join(f"- {sentence}\n" for sentence in said)


def sources(measured: Measured) -> str:
    rows = []
    for one in measured.sources:
        machine = one["machine"]
        load = " to ".join(str(machine["load"][when][0]) for when in ("before", "after"))
        speeds = machine["speed"]
        rows.append(
            [one["bench"], f"`{one['command']}`", f"{machine['processor']}, {machine['cores']} cores", load,
             f"{min(speeds)} to {max(speeds)}"]
        )  # fmt: skip
    return table(["bench", "command", "machine", "load", "speed"], rows)


def per_one(measured: Measured) -> str:
    """What one of each thing costs."""

    def row(what: str) -> list[str]:
        one = measured.of_one[what]
        return [
            {"view": "a view of the feed"}.get(what, f"{'an' if what[0] in 'aeiou' else 'a'} {what}"),
            figure(sum(one.cpu_ms.values())),
            figure(sum(one.mongo_bytes.values())),
            figure(sum(one.kafka_bytes.values())),
            figure(sum(one.kafka_records.values())),
            figure(one.redis_bytes),
        ]

    head = [
        "of",
        "ms of CPU, all processes",
        "bytes in MongoDB",
        "bytes on Kafka",
        "records on Kafka",
        "bytes in Redis",
    ]
    return table(head, [row(what) for what in measured.of_one])


def rates(measured: Measured) -> str:
    """What one process stands, at full speed."""
    said = {
        "redirect": "visitors that `sharing-links` sends on, each with a click that Kafka acknowledged",
        "metrics": "engagements that `metrics-worker` books",
        "gamification": "engagements that `gamification-worker` gives points for",
        "outbox": "commands with their event on Kafka, by one relay",
    }
    return table(["one process", "a second"], [[said[name], figure(value)] for name, value in measured.rates.items()])


def whole(found: Sequence[Capacity], measured: Measured, assumed: Assumptions, prices: Prices) -> str:
    """All tables, for the page."""
    largest = found[-1].limits[:LIMITS]
    idle = sum(value for name, value in measured.idle_millicores.items() if name in measured.roles)
    memory = max(measured.memory_mb[name] for name in measured.roles)
    return "\n".join(
        [
            "### What there is to do\n",
            work(found),
            "### Pods, and cores in use in the busiest hour\n",
            pods(found),
            "### Partitions\n",
            partitions(found),
            "### Storage, one copy\n",
            storage(found),
            "### What it costs\n",
            costs(found, prices),
            "### What breaks first\n",
            limits(largest),
            "### Measured\n",
            per_one(measured),
            rates(measured),
            f"All of Herald's roles together use {idle:.0f} thousandths of a core while nothing happens; the largest "
            f"has {memory:.0f} MB after such a day.\n",
            sources(measured),
            "### Assumed\n",
            assumptions(assumed),
        ]
    )


def quoted(page: str, text: str) -> str:
    """The page with the tables between its marks. Raises ValueError where there are none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text}{END}{after}"
