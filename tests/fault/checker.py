"""The promises I1 to I8, verified by arithmetic and by identity.

It imports nothing of the chassis or the services: what the stores must hold is worked out from the topics and from
the journal of the outside world (see `effects`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tests.fault import effects
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
    buried: int = 0

    @property
    def broken(self) -> set[str]:
        return {one.promise for one in self.violations}


AGGREGATES = (
    ("herald.people", "program", "people", "person_id"),
    ("herald.content", "content", "items", "content_id"),
)
UNTOLD = 2**31
MARK = re.compile(r"\b[sn]\d{6}\b")


def check(evidence: Evidence, journal: Journal) -> Report:
    """Verify a system in which nothing is under way any more."""
    views = Views.of(evidence)
    report = Report(records=sum(len(one) for one in evidence.records.values()))
    report.duplicates = dict(duplicates(evidence, journal))
    clicks = {one.id for one in evidence.of_type("LinkClicked")}
    report.clicks = sum(more for id, more in report.duplicates.items() if id in clicks)
    report.events = len({one.id for topic in evidence.records for one in evidence.records[topic] if one.id})
    report.buried = sum(len(one) for one in views.buried.values())
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


def _by(records: Iterable[Record], name: str) -> dict[str, set[str]]:
    """Event ids by a field of their data."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in records:
        if name in one.data:
            found[str(one.data[name])].add(one.id)
    return found


# --- I1 ----------------------------------------------------------------------------------------------------------


def committed(evidence: Evidence, journal: Journal) -> Found:
    """I1: what was accepted is stored, and what is stored is on Kafka; what is not must still be in the outbox."""
    waiting = {id for service in evidence.stores for id in evidence.store(service, "outbox")}
    for id in sorted(waiting):
        yield "I1", id, "is in the outbox although nothing is under way"
    yield from _accepted(evidence, journal)
    posts = evidence.store("sharing", "posts")
    shared, removed = _by(evidence.of_type("PostShared"), "post_id"), _by(evidence.of_type("PostRemoved"), "post_id")
    for id, row in posts.items():
        yield from _published(id, "PostShared", shared)
        if row.get("removed_at"):
            yield from _published(id, "PostRemoved", removed)
    awarded = _by(evidence.of_type("PointsAwarded"), "entry_id")
    for id in evidence.store("gamification", "ledger"):
        yield from _published(id, "PointsAwarded", awarded)
    yield from _revisions(evidence, journal)
    yield from _choices(evidence, journal)
    yield from _tallies(evidence, journal)


def _accepted(evidence: Evidence, journal: Journal) -> Found:
    posts, items = evidence.store("sharing", "posts"), evidence.store("content", "items")
    yield from _made_once("posts", {one.mark: one.posts for one in journal.shares}, posts, _caption)
    yield from _made_once("items", {one.mark: one.items for one in journal.new_items}, items, _titles)
    for removal in journal.removals:
        if removal.answered and not posts.get(removal.post, {}).get("removed_at"):
            yield "I1", removal.post, "was taken back and stands"


def _made_once(
    what: str,
    answered: Mapping[str, set[str]],
    stored: Mapping[str, Mapping[str, Any]],
    words: Callable[[Mapping[str, Any]], str],
) -> Found:
    """Each Idempotency-Key made at most one, and the one that was answered; its mark stands in the `words`."""
    for mark, ids in answered.items():
        for id in ids - stored.keys():
            yield "I1", id, f"was accepted ({mark}) and is not stored"
        if len(ids) > 1:
            yield "I2", mark, f"one Idempotency-Key was answered with {len(ids)} {what}"
    made = Counter(mark for row in stored.values() for mark in MARK.findall(words(row)))
    for mark, times in made.items():
        if times > 1:
            yield "I2", mark, f"one Idempotency-Key made {times} {what}"


def _caption(post: Mapping[str, Any]) -> str:
    return str(post["caption"])


def _titles(item: Mapping[str, Any]) -> str:
    return " ".join(str(one["title"]) for one in item["copy"]["variants"])


def _published(whom: str, name: str, found: Mapping[str, set[str]]) -> Found:
    events = found.get(whom, set())
    if not events:
        yield "I1", whom, f"is stored, and no {name} of it is on Kafka"
    elif len(events) > 1:
        yield "I2", whom, f"has {len(events)} {name}: {', '.join(sorted(events))}"


def _revisions(evidence: Evidence, journal: Journal) -> Found:
    for topic, service, collection, name in AGGREGATES:
        told: dict[str, set[int]] = defaultdict(set)
        for one in evidence.records.get(topic, ()):
            if "revision" in one.data and name in one.data:
                told[one.data[name]].add(one.data["revision"])
        for id, row in evidence.store(service, collection).items():
            for missing in sorted(set(range(_first(id, topic, journal), row["version"] + 1)) - told[id]):
                yield "I1", id, f"revision {missing} of {row['version']} is not on {topic}"


def _first(whom: str, topic: str, journal: Journal) -> int:
    """The revision from which on every one is told: an item's second (a draft is nobody's business), a person's
    once they take part (an invitation is told without a revision)."""
    return 2 if topic == "herald.content" else journal.people.get(whom, UNTOLD)


def _choices(evidence: Evidence, journal: Journal) -> Found:
    """What people chose last is what is stored, or what they asked for after that without an answer."""
    people = evidence.store("program", "people")
    allowed: dict[str, set[bool]] = {}
    for choice in journal.choices:
        possible = set() if choice.answered else allowed.get(choice.person, {True, False})
        allowed[choice.person] = {*possible, choice.value}
    for person, values in allowed.items():
        if people.get(person, {}).get("hidden_from_statistics") not in values:
            yield "I1", person, "an accepted choice is not stored"
    titles = {
        (one.data.get("content_id"), variant.get("title", ""))
        for one in evidence.of_type("ContentUpdated")
        for variant in one.data.get("variants", ())
    }
    for wording in journal.wordings:
        if wording.version is not None and not any(
            content == wording.content and wording.mark in title for content, title in titles
        ):
            yield "I1", wording.content, f"accepted wording {wording.mark} is in no ContentUpdated"


def _tallies(evidence: Evidence, journal: Journal) -> Found:
    """Every accepted report is one EngagementRecorded."""
    told: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    own = {one.id for one in journal.produced}
    for one in evidence.of_type("EngagementRecorded"):
        data = one.data
        if one.id not in own and "occurred_at" in data:
            told[str(data.get("post_id")), str(data.get("kind")), _instant(data["occurred_at"])].add(one.id)
    for tally in journal.tallies:
        events = told.get((tally.post, tally.kind, _instant(tally.at)), set())
        if tally.answered and not events:
            yield "I1", tally.external_id, "was accepted, and no EngagementRecorded says so"
        if len(events) > 1:
            yield "I2", tally.external_id, f"became {len(events)} events: {', '.join(sorted(events))}"


def _instant(text: str) -> str:
    try:
        return f"{effects.moment(text).timestamp():.3f}"
    except ValueError:
        return text


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


def _rising(records: Iterable[Record], name: str, journal: Journal) -> Found:
    last: dict[str, int] = {}
    seen: set[str] = set()
    for one in records:
        if one.id in seen or name not in one.data or "revision" not in one.data:
            continue
        seen.add(one.id)
        whom, revision = one.data[name], one.data["revision"]
        gap = revision > last.get(whom, revision) + 1 and revision > _first(whom, one.topic, journal)
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
    marks = {(one.post, one.kind, _instant(one.at)) for one in journal.tallies}
    clicks = {one.trace for one in evidence.of_type("LinkClicked")}
    for one in evidence.of_type("EngagementRecorded"):
        said = (str(one.data.get("post_id")), str(one.data.get("kind")), _instant(one.data.get("occurred_at", "")))
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
    copies: Counter[str] = Counter()
    for topic, records in evidence.records.items():
        for one in records:
            id = one.said("herald_deadletter_id") + one.said("herald_deadletter_resolution")
            id = id if topic.startswith(DEAD) else one.id
            if id and (topic.startswith(DEAD) or id not in own):
                copies[id] += 1
    return Counter({id: more for id, count in copies.items() if (more := count - 1 - journal.repeated.get(id, 0)) > 0})


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
    told = _by(evidence.of_type("LinkClicked"), "referrer")
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
