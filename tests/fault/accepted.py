"""I1: what was accepted is stored, and what is stored is on Kafka."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.fault import effects
from tests.fault.effects import Found
from tests.fault.evidence import Evidence, Record
from tests.fault.journal import Journal

AGGREGATES = (
    ("herald.people", "program", "people", "person_id"),
    ("herald.content", "content", "items", "content_id"),
)
UNTOLD = 2**31
MARK = re.compile(r"\b[sn]\d{6}\b")


def committed(evidence: Evidence, journal: Journal) -> Found:
    """I1: what was accepted is stored, and what is stored is on Kafka; what is not must still be in the outbox."""
    boxes = ("outbox", "outbox_aside")
    waiting = {id for service in evidence.stores for box in boxes for id in evidence.store(service, box)}
    for id in sorted(waiting):
        yield "I1", id, "is in the outbox although nothing is under way"
    yield from _accepted(evidence, journal)
    posts = evidence.store("sharing", "posts")
    shared, removed = (
        ids_by(evidence.of_type("PostShared"), "post_id"),
        ids_by(evidence.of_type("PostRemoved"), "post_id"),
    )
    for id, row in posts.items():
        yield from _published(id, "PostShared", shared)
        if row.get("removed_at") and not row.get("restorable_until"):
            yield from _published(id, "PostRemoved", removed)
    awarded = ids_by(evidence.of_type("PointsAwarded"), "entry_id")
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
            for missing in sorted(set(range(first_told(id, topic, journal), row["version"] + 1)) - told[id]):
                yield "I1", id, f"revision {missing} of {row['version']} is not on {topic}"


def first_told(whom: str, topic: str, journal: Journal) -> int:
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
            told[str(data.get("post_id")), str(data.get("kind")), instant(data["occurred_at"])].add(one.id)
    for tally in journal.tallies:
        events = told.get((tally.post, tally.kind, instant(tally.at)), set())
        if tally.answered and not events:
            yield "I1", tally.external_id, "was accepted, and no EngagementRecorded says so"
        if len(events) > 1:
            yield "I2", tally.external_id, f"became {len(events)} events: {', '.join(sorted(events))}"


def instant(text: str) -> str:
    """A time in one way of writing it; what is none as it is."""
    try:
        return f"{effects.moment(text).timestamp():.3f}"
    except ValueError:
        return text


def ids_by(records: Iterable[Record], name: str) -> dict[str, set[str]]:
    """Event ids by a field of their data."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in records:
        if name in one.data:
            found[str(one.data[name])].add(one.id)
    return found
