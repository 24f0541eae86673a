"""The promises I1 to I8, verified by arithmetic and by identity.

It imports nothing of the chassis or the services: what the stores must hold is worked out from the topics and from
the journal of the outside world (see `effects`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from tests.fault import effects
from tests.fault.accepted import AGGREGATES, committed, first_told, ids_by, instant
from tests.fault.accounts import accounted
from tests.fault.effects import ACTS, Found, Views
from tests.fault.evidence import DEAD, Evidence, Record
from tests.fault.journal import Journal

PROMISES = {
    "I1": "every committed event reaches Kafka",
    "I2": "every event changes a state exactly once",
    "I3": "one aggregate's events are in order, without gaps",
    "I4": "nothing on Kafka that was not committed",
    "I5": "consumed = applied + dead-lettered + pending",
    "I6": "recovered within 60 s",
    "I7": "duplicates within what was in flight",
    "I8": "every answered click is counted",
}


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A broken promise: which, of whom (event id, post, entry, aggregate), and how."""

    promise: str
    whom: str
    how: str

    def __str__(self) -> str:
        return f"{self.promise} {self.whom}: {self.how}"


@dataclass(slots=True)
class Report:
    """What was found. `duplicates` are copies beyond the first, by event id, of what Herald published itself;
    `clicks` are those of them that are clicks."""

    violations: list[Violation] = field(default_factory=list)
    duplicates: dict[str, int] = field(default_factory=dict)
    clicks: int = 0
    records: int = 0
    events: int = 0
    dead_lettered: int = 0

    @property
    def broken(self) -> set[str]:
        return {one.promise for one in self.violations}


def check(evidence: Evidence, journal: Journal) -> Report:
    """Verify a system in which nothing is under way any more."""
    views = Views.of(evidence)
    report = Report(records=sum(len(one) for one in evidence.records.values()))
    report.duplicates = dict(duplicates(evidence, journal))
    clicks = {one.id for one in evidence.of_type("LinkClicked")}
    report.clicks = sum(more for id, more in report.duplicates.items() if id in clicks)
    report.events = len({one.id for topic in evidence.records for one in evidence.records[topic] if one.id})
    report.dead_lettered = sum(len(one) for one in views.dead_lettered.values())
    for promise, whom, how in chain(
        committed(evidence, journal),
        effects_once(views),
        in_order(views, journal),
        only_committed(evidence, journal),
        accounted(views, journal),
        clicks_counted(evidence, journal),
    ):
        report.violations.append(Violation(promise, whom, how))
    report.violations.sort()
    return report


# --- I2 ----------------------------------------------------------------------------------------------------------


def effects_once(views: Views) -> Found:
    """I2: the stores are what the topics give, each event once."""
    evidence = views.evidence
    wanted, waiting = effects.facts(views)
    stored = set(evidence.store("metrics", "facts"))
    for id in sorted(wanted - stored):
        yield "I5", id, "was consumed by metrics and is no fact"
    for id in sorted(stored - wanted):
        yield "I2", id, "is a fact of metrics without an event that was taken"
    for id in sorted(waiting - set(evidence.store("metrics", "waiting"))):
        yield "I5", id, "was consumed by metrics, of an unknown programme, and waits nowhere"
    yield from _ledger(views)
    for whom, how in effects.all_differences(views):
        yield "I2", whom, how


def _ledger(views: Views) -> Found:
    rows = views.evidence.store("gamification", "ledger")
    lines = effects.ledger(views)
    booked: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows.values():
        booked[row["cause_id"], row["rule"]].append(row["points"])
    for line in lines:
        found = booked.pop((line.cause, line.rule), [])
        if not found:
            yield "I5", line.cause, f"was consumed by gamification and earned no line for {line.rule}"
        elif len(found) > 1:
            yield "I2", line.cause, f"earned {len(found)} lines for {line.rule}"
        elif found[0] != line.points:
            yield "I2", line.cause, f"earned {found[0]} points for {line.rule}, not {line.points}"
    for cause, rule in booked:
        yield "I2", cause, f"earned a line for {rule} that no event gives"
    sums = {
        key: row["points"] for key, row in views.evidence.store("gamification", "balances").items() if row["points"]
    }
    expected = effects.balances(lines)
    for key in sorted({*sums, *expected}):
        if sums.get(key, 0) != expected.get(key, 0):
            yield "I2", key, f"gamification.balances: {sums.get(key, 0)} where the topics give {expected.get(key, 0)}"


# --- I3 ----------------------------------------------------------------------------------------------------------


def in_order(views: Views, journal: Journal) -> Found:
    """I3: one partition an aggregate, and there the first copies in order without a gap."""
    records = views.evidence.records
    yield from _at_home(records)
    for topic, _, _, name in AGGREGATES:
        yield from _rising(records.get(topic, ()), name, journal)
    shared: set[str] = set()
    for one in records.get("herald.posts", ()):
        if one.type == ACTS[0]:
            shared.add(one.data.get("post_id", ""))
        elif one.type == ACTS[1] and one.data.get("post_id") not in shared:
            yield "I3", one.id, f"takes back post {one.data.get('post_id')} before it is shared"
    yield from _causes_in_order(views)


def _at_home(records: Mapping[str, Sequence[Record]]) -> Found:
    for topic in records:
        if topic.startswith(DEAD):
            continue
        homes: dict[bytes | None, set[int]] = defaultdict(set)
        for one in records[topic]:
            if one.key is not None:
                homes[one.key].add(one.partition)
        for key, partitions in homes.items():
            if len(partitions) > 1:
                yield "I3", repr(key), f"lies in {len(partitions)} partitions of {topic}"


MEMBERSHIP = ("herald.AmbassadorJoined.v1", "herald.AmbassadorLeft.v1")
"""They say at which revision of the person they happened, and are no state of the person themselves."""


def _rising(records: Iterable[Record], name: str, journal: Journal) -> Found:
    last: dict[str, int] = {}
    seen: set[str] = set()
    for one in records:
        if one.id in seen or name not in one.data or "revision" not in one.data or one.type in MEMBERSHIP:
            continue
        seen.add(one.id)
        whom, revision = one.data[name], one.data["revision"]
        gap = revision > last.get(whom, revision) + 1 and revision > first_told(whom, one.topic, journal)
        if gap or revision <= last.get(whom, 0):
            yield "I3", whom, f"revision {revision} comes after {last[whom]} ({one.id})"
        last[whom] = max(revision, last.get(whom, 0))


def _causes_in_order(views: Views) -> Found:
    """What follows from the events of one person comes in the order of those events."""
    places = {one.id: one.place for one in reversed(views.taken("gamification", *ACTS))}
    last: dict[tuple[str, str], tuple[str, int, int]] = {}
    seen: set[str] = set()
    for one in views.evidence.of_type("PointsAwarded"):
        place = places.get(one.data.get("cause_id", ""))
        if one.id in seen or place is None:
            continue
        seen.add(one.id)
        lane = (one.data["ambassador_id"], f"{place[0]}/{place[1]}")
        if lane in last and place < last[lane]:
            yield "I3", one.id, f"is of {place}, and comes after what is of {last[lane]}"
        last[lane] = max(place, last.get(lane, place))


# --- I4 ----------------------------------------------------------------------------------------------------------


def only_committed(evidence: Evidence, journal: Journal) -> Found:
    """I4: of everything that Herald published there is the state that it tells of."""
    own = {one.id for one in journal.produced}
    posts, ledger = evidence.store("sharing", "posts"), evidence.store("gamification", "ledger")
    for one in evidence.of_type("PostShared"):
        if one.id not in own and one.data.get("post_id") not in posts:
            yield "I4", one.id, f"tells of post {one.data.get('post_id')}, which is not stored"
    for one in evidence.of_type("PostRemoved"):
        if one.id not in own and not posts.get(str(one.data.get("post_id")), {}).get("removed_at"):
            yield "I4", one.id, f"tells that post {one.data.get('post_id')} was taken back, which it was not"
    for one in evidence.of_type("PointsAwarded"):
        if one.id not in own and one.data.get("entry_id") not in ledger:
            yield "I4", one.id, f"tells of entry {one.data.get('entry_id')}, which is not in the ledger"
    yield from _revisions_committed(evidence, own)
    marks = {(one.post, one.kind, instant(one.at)) for one in journal.tallies}
    clicks = {one.trace for one in evidence.of_type("LinkClicked")}
    for one in evidence.of_type("EngagementRecorded"):
        said = (str(one.data.get("post_id")), str(one.data.get("kind")), instant(one.data.get("occurred_at", "")))
        if one.id not in own and one.trace not in clicks and said not in marks:
            yield "I4", one.id, "follows from no click and no report"


def _revisions_committed(evidence: Evidence, own: set[str]) -> Found:
    for topic, service, collection, name in AGGREGATES:
        stored = evidence.store(service, collection)
        for one in evidence.records.get(topic, ()):
            version = stored.get(str(one.data.get(name)), {}).get("version", 0)
            if one.id not in own and one.data.get("revision", 0) > version:
                yield "I4", one.id, f"tells of revision {one.data['revision']} where {version} is stored"


# --- I7 ----------------------------------------------------------------------------------------------------------


def duplicates(evidence: Evidence, journal: Journal) -> Counter[str]:
    """Copies beyond the first of what Herald published, without those that were published again on purpose."""
    own = {one.id for one in journal.produced}
    copies: Counter[tuple[str, str]] = Counter()
    for topic, records in evidence.records.items():
        for one in records:
            id = one.said("herald_deadletter_id") + one.said("herald_deadletter_resolution")
            id = id if topic.startswith(DEAD) else one.id
            if id and (topic.startswith(DEAD) or id not in own):
                copies[id, "" if topic.startswith(DEAD) else one.type] += 1  # versions of a fact have one id
    more: Counter[str] = Counter()
    for (id, _), count in copies.items():
        more[id] += count - 1
    return Counter({id: found for id, again in more.items() if (found := again - journal.repeated.get(id, 0)) > 0})


def bounded(what: str, found: int, allowed: int) -> Iterator[Violation]:
    """I7: not more of them than was in flight."""
    if found > allowed:
        yield Violation("I7", what, f"{found} duplicates where {allowed} were in flight")


def recovered(seconds: float, limit: float, left: Sequence[str]) -> Iterator[Violation]:
    """I6: all done that was asked, in time; `left` is what never was."""
    if left:
        yield Violation("I6", "the system", f"did not settle: {', '.join(left)}")
    elif seconds > limit:
        yield Violation("I6", "the system", f"took {seconds:.0f} s, not {limit:.0f} s")


# --- I8 ----------------------------------------------------------------------------------------------------------


def clicks_counted(evidence: Evidence, journal: Journal) -> Found:
    """I8: each visit that was redirected is one LinkClicked, and that is one EngagementRecorded with its verdict."""
    told = ids_by(evidence.of_type("LinkClicked"), "referrer")
    traces = {one.id: one.trace for one in evidence.of_type("LinkClicked")}
    judged: dict[str, dict[str, str]] = defaultdict(dict)
    for one in evidence.of_type("EngagementRecorded"):
        if one.data.get("kind") == "click":
            judged[one.trace][one.id] = str(one.data.get("verdict"))
    for click in journal.clicks:
        events = told.get(click.mark, set())
        if click.answered and not events:
            yield "I8", click.mark, f"was redirected from {click.code}, and no LinkClicked says so"
        if len(events) > 1:
            yield "I2", click.mark, f"one visit became {len(events)} clicks: {', '.join(sorted(events))}"
        for id in events:
            verdicts = judged.get(traces[id], {})
            if not verdicts:
                yield "I8", id, f"the click {click.mark} was never judged"
            elif len(verdicts) > 1:
                yield "I2", id, f"the click {click.mark} was judged {len(verdicts)} times: {', '.join(verdicts)}"
            elif click.verdict is not None and click.verdict not in verdicts.values():
                yield "I8", id, f"the click {click.mark} is {', '.join(verdicts.values())}, not {click.verdict}"
