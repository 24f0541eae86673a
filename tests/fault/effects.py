"""What the consumers' stores must hold, worked out from the topics alone.

Written from the contracts and the guides, not from the services' code: the default rules of points, the counters of
figures, the projections. A difference names the event, entry or aggregate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.fault.evidence import Evidence, Place, Record

POINTS = {"share": 10, "click": 2, "like": 1, "comment": 3, "repost": 5}
SHARES_A_DAY = 5
CLICK_POINTS_A_DAY = 40
ACTS = ("herald.PostShared.v1", "herald.PostRemoved.v1", "herald.EngagementRecorded.v1")
PEOPLE = ("herald.PersonProvisioned.v1", "herald.PersonUpdated.v1")
OF_POST = ("post_id", "ambassador_id", "program_id", "content_id", "network", "occurred_at")
OF_ENGAGEMENT = ("kind", "verdict", "measure")
STATE = ("country", "team", "locale", "leader", "hidden_from_rankings", "hidden_from_statistics", "active")


Found = Iterator[tuple[str, str, str]]
"""Broken promises: which, to whom, and how."""


@dataclass(slots=True)
class Views:
    """What each service took: the first copy of each event that it neither dead-lettered nor has still before it."""

    evidence: Evidence
    dead_lettered: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))
    reached: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence) -> Views:
        found = cls(evidence)
        for dead_letter in evidence.dead_letters():
            found.dead_lettered[dead_letter.service].add(dead_letter.origin)
        for service in evidence.consumers:
            rows = evidence.store(service, "offsets").items()
            found.reached[service] = {
                (key.rpartition(":")[0], int(key.rpartition(":")[2])): int(row["next"]) for key, row in rows
            }
        return found

    def consumed(self, service: str, record: Record) -> bool:
        return record.offset < self.reached[service].get((record.topic, record.partition), 0)

    def taken(self, service: str, *types: str) -> list[Record]:
        """In the order of topic, partition and offset."""
        seen: set[str] = set()
        found = []
        for topic, wanted in self.evidence.consumers[service].items():
            for record in self.evidence.records.get(topic, ()):
                if record.type not in wanted or record.type not in types or record.id in seen:
                    continue
                if record.place in self.dead_lettered[service] or not self.consumed(service, record):
                    continue
                if record.type in ACTS and not _is_act(record):
                    continue
                seen.add(record.id)
                found.append(record)
        return found

    def zones(self, service: str) -> dict[str, ZoneInfo]:
        """The time zones of the programmes that a service has heard of."""
        created = self.taken(service, "herald.ProgramCreated.v1")
        return {one.data["program_id"]: ZoneInfo(one.data["time_zone"]) for one in created}


def _is_act(record: Record) -> bool:
    """Whether it says what a share, removal or engagement must; what does not can have no effect."""
    names = OF_POST + (OF_ENGAGEMENT if record.type == ACTS[2] else ())
    quantity = record.data.get("quantity", 1)
    return all(isinstance(record.data.get(name), str) for name in names) and isinstance(quantity, int) and quantity > 0


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _differences(what: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of identity and detail."""
    for key in sorted({*expected, *found}):
        wanted, there = expected.get(key), found.get(key)
        if wanted != there:
            yield key, f"{what}: {there!r} where the topics give {wanted!r}"


# --- metrics -----------------------------------------------------------------------------------------------------


def facts(views: Views) -> tuple[set[str], set[str]]:
    """Ids of the acts that must be facts, and of those that wait for their programme."""
    zones = views.zones("metrics")
    acts = views.taken("metrics", *ACTS)
    known = {act.id for act in acts if act.data["program_id"] in zones}
    return known, {act.id for act in acts} - known


def counters(views: Views) -> Iterator[tuple[str, str]]:
    """Where the counters of metrics differ from the sums of the acts."""
    zones = views.zones("metrics")
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    persons: dict[str, Counter[str]] = defaultdict(Counter)
    acts = [act for act in views.taken("metrics", *ACTS) if act.data["program_id"] in zones]
    removed = {act.data["post_id"] for act in acts if act.type == ACTS[1]}
    shared: set[str] = set()
    for act in acts:
        data = act.data
        name = _counter(data) if act.type == ACTS[2] else None
        quantity = data.get("quantity", 1)
        if act.type == ACTS[0] and data["post_id"] not in removed | shared:
            shared.add(data["post_id"])
            name = "shares"
        if name is None:
            continue
        day = moment(data["occurred_at"]).astimezone(zones[data["program_id"]]).date().isoformat()
        totals["|".join((data["program_id"], day, data["network"], data["content_id"]))][name] += quantity
        persons["|".join((data["program_id"], day, data["ambassador_id"], data["network"]))][name] += quantity
    for collection, expected in (("totals", totals), ("person_days", persons)):
        found = {key: _numbers(row) for key, row in views.evidence.store("metrics", collection).items()}
        yield from _differences(
            f"metrics.{collection}", {key: dict(one) for key, one in expected.items()},
            {key: one for key, one in found.items() if one},
        )  # fmt: skip


def _counter(data: Mapping[str, Any]) -> str | None:
    kind, verdict, measure = data["kind"], data["verdict"], data["measure"]
    if measure != "measured":
        return f"{kind}_{measure}" if verdict == "counted" else None
    if kind == "click":
        return f"click_{verdict}"
    return str(kind) if verdict == "counted" else None


def _numbers(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in row.items() if isinstance(value, int) and value != 0}


# --- gamification ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger as it must be; `reverses` is the cause of what it takes back."""

    cause: str
    rule: str
    person: str
    program: str
    points: int
    acts: int
    day: date
    reverses: str = ""


def ledger(views: Views) -> list[Line]:
    """The ledger that the topics give, in the order of booking of each person."""
    zones = views.zones("gamification")
    lines: list[Line] = []
    given: Counter[tuple[str, str, date, str]] = Counter()
    shares: dict[str, Line] = {}
    for act in views.taken("gamification", *ACTS):
        data = act.data
        if data["program_id"] not in zones:
            continue
        day = moment(data["occurred_at"]).astimezone(zones[data["program_id"]]).date()
        line = _removal(act, shares) if act.type == ACTS[1] else _earned(act, day, given, shares)
        if line is None:
            continue
        given[line.program, line.person, line.day, line.rule] += line.acts if line.rule == "share" else line.points
        lines.append(line)
    return lines


def _earned(act: Record, day: date, given: Counter[tuple[str, str, date, str]], shares: dict[str, Line]) -> Line | None:
    data = act.data
    rule = "share" if act.type == ACTS[0] else data["kind"]
    if rule not in POINTS or (rule == "share" and data["post_id"] in shares):
        return None
    if rule != "share" and (data["verdict"], data["measure"]) != ("counted", "measured"):
        return None
    person, program = data["ambassador_id"], data["program_id"]
    acts, so_far = data.get("quantity", 1), given[program, person, day, rule]
    if rule == "share":
        acts = min(acts, max(0, SHARES_A_DAY - so_far))
    points = acts * POINTS[rule]
    if rule == "click":
        points = min(points, max(0, CLICK_POINTS_A_DAY - so_far))
    if points == 0:
        return None
    line = Line(act.id, rule, person, program, points, acts, day)
    if rule == "share":
        shares[data["post_id"]] = line
    return line


def _removal(act: Record, shares: dict[str, Line]) -> Line | None:
    line = shares.get(act.data["post_id"])
    if line is None or line.reverses:
        return None
    undone = Line(act.id, "share", line.person, line.program, -line.points, -line.acts, line.day, line.cause)
    shares[act.data["post_id"]] = undone
    return undone


def balances(lines: Sequence[Line]) -> dict[str, int]:
    """Points by `program|person|period`."""
    found: Counter[str] = Counter()
    for line in lines:
        for period in periods(line.day):
            found[f"{line.program}|{line.person}|{period}"] += line.points
    return {key: points for key, points in found.items() if points}


def periods(day: date) -> tuple[str, ...]:
    year, week, _ = day.isocalendar()
    return (f"{year:04}-W{week:02}", f"{day:%Y-%m}", f"{day:%Y}-Q{(day.month + 2) // 3}", "all")


# --- projections -------------------------------------------------------------------------------------------------


def principals(views: Views, service: str) -> Iterator[tuple[str, str]]:
    """Where a service's directory differs from what herald.people says."""
    expected: dict[str, dict[str, Any]] = defaultdict(dict)
    members: dict[str, set[str]] = defaultdict(set)
    membership = ("herald.AmbassadorJoined.v1", "herald.AmbassadorLeft.v1")
    for one in views.taken(service, *PEOPLE, "herald.PersonDeactivated.v1", *membership):
        person = one.data["person_id"]
        if one.type == membership[0]:
            members[person].add(one.data["program_id"])
        elif one.type == membership[1]:
            members[person].discard(one.data["program_id"])
        elif one.data["revision"] > expected[person].get("revision", 0):
            expected[person] |= {"revision": one.data["revision"]}
            state = one.data if one.type in PEOPLE else {"active": False}
            expected[person] |= {name: state[name] for name in STATE if name in state}
    stored = views.evidence.store(service, "principals")
    for person in {*expected, *members}:
        row = stored.get(person, {})
        wanted = {**expected[person], "memberships": sorted(members[person])}
        there = {name: row.get(name) for name in expected[person]} | {"memberships": sorted(row.get("memberships", ()))}
        yield from _differences(f"{service}.principals", {person: wanted}, {person: there})


def contents(views: Views) -> Iterator[tuple[str, str]]:
    """Where sharing knows another revision of an item than herald.content tells."""
    latest: Counter[str] = Counter()
    types = ("herald.ContentPublished.v1", "herald.ContentUpdated.v1", "herald.ContentRetired.v1")
    for one in views.taken("sharing", *types):
        latest[one.data["content_id"]] = max(latest[one.data["content_id"]], one.data["revision"])
    found = {key: row["revision"] for key, row in views.evidence.store("sharing", "contents").items()}
    yield from _differences("sharing.contents", dict(latest), found)


def post_counts(views: Views) -> Iterator[tuple[str, str]]:
    """Where a post's own counters differ from its clicks and what was reported of it."""
    posts = views.evidence.store("sharing", "posts")
    clicks: Counter[str] = Counter(one.data["link_code"] for one in views.taken("sharing", "herald.LinkClicked.v1"))
    for id, row in posts.items():
        counted = sum(row.get("clicks", {}).values())
        if counted != clicks[row["link_code"]]:
            yield id, f"sharing.posts.clicks: {counted} where the topic has {clicks[row['link_code']]}"


def enrolments(views: Views) -> Iterator[tuple[str, str]]:
    """Where metrics' histories of enrolment lack or repeat a joining or leaving."""
    told = views.taken("metrics", "herald.AmbassadorJoined.v1", "herald.AmbassadorLeft.v1")
    expected: dict[str, list[str]] = defaultdict(list)
    for one in told:
        expected[f"{one.data['program_id']}|{one.data['person_id']}"].append(one.id)
    stored = views.evidence.store("metrics", "enrolments")
    found = {key: sorted(change[1] for change in row["changes"]) for key, row in stored.items()}
    yield from _differences("metrics.enrolments", {key: sorted(ids) for key, ids in expected.items()}, found)


def all_differences(views: Views) -> Iterable[tuple[str, str]]:
    """Every projection and counter but the ledger and the facts, which are told apart by event."""
    yield from counters(views)
    for service in ("content", "sharing", "gamification", "metrics"):
        yield from principals(views, service)
    yield from contents(views)
    yield from post_counts(views)
    yield from enrolments(views)
