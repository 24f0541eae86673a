"""I5: what became of each record, for each of its consumers."""

from __future__ import annotations

from tests.fault.effects import Found, Views
from tests.fault.evidence import Evidence, Record
from tests.fault.journal import Journal, Produced

# Facts, and what waits to be one, are kept by event: they are the inbox of what they tell of.
INBOXES = {"metrics": ("inbox", "facts", "waiting"), "program": ("inbox", "audit_trail")}
NAMELESS = Produced("", "", "a record without id", frozenset(("dead-lettered",)))


def accounted(views: Views, journal: Journal) -> Found:
    """I5: each record, for each consumer: applied, dead-lettered with its reason, not asked for, or still ahead."""
    produced = _produced(journal)
    reasons = {(one.service, one.origin): (one.rule, one.detail) for one in views.evidence.dead_letters()}
    for service, topics in views.evidence.consumers.items():
        inbox = {id for name in INBOXES.get(service, ("inbox",)) for id in views.evidence.store(service, name)}
        for topic, wanted in topics.items():
            for one in views.evidence.records.get(topic, ()):
                fate = _fate(views, service, one, wanted, inbox)
                if fate == "lost":
                    yield "I5", one.id or str(one.place), f"{service} passed over it at {one.place} without a trace"
                elif fate == "pending":
                    yield "I5", one.id or str(one.place), f"{service} has not consumed it although nothing is under way"
                expected = produced.get(one.id) or produced.get(str(one.place)) or (None if one.id else NAMELESS)
                reason = reasons.get((service, one.place), ("", ""))
                yield from _judged(service, one, fate, reason, expected)
    yield from _dead_letters_whole(views.evidence)


def _fate(views: Views, service: str, one: Record, wanted: frozenset[str], inbox: set[str]) -> str:
    if one.place in views.dead_lettered[service]:
        return "dead-lettered"
    if not views.consumed(service, one):
        return "pending"
    if one.type in wanted and one.id in inbox:
        return "applied"
    stems = {name.rpartition(".")[0] for name in wanted}
    # Another version of a fact that is taken here was applied in the version that is, under the same id.
    not_asked_for = one.type.rpartition(".")[0] not in stems or one.id in inbox
    if one.type.startswith("herald.") and one.type not in wanted and not_asked_for:
        return "ignored"
    return "lost"


def _judged(service: str, one: Record, fate: str, reason: tuple[str, str], expected: Produced | None) -> Found:
    whom, (rule, detail) = one.id or str(one.place), reason
    if expected is None:
        if fate == "dead-lettered":
            yield "I5", whom, f"{service} dead-lettered a good event ({rule}: {detail})"
        return
    if fate in ("applied", "dead-lettered", "ignored") and fate not in expected.fates:
        yield "I5", whom, f"{service}: {expected.kind} was {fate}, not {' or '.join(sorted(expected.fates))}"
    if fate == "dead-lettered" and expected.rules and rule not in expected.rules:
        yield "I5", whom, f"{service}: {expected.kind} was dead-lettered as {rule}, not {sorted(expected.rules)}"


def _produced(journal: Journal) -> dict[str, Produced]:
    found = {one.id: one for one in journal.produced if one.id}
    return found | {str(one.place): one for one in journal.produced if one.place is not None}


def _dead_letters_whole(evidence: Evidence) -> Found:
    """A dead letter keeps key, value and headers of what it was."""
    there = {one.place: one for topic in evidence.records.values() for one in topic}
    for dead_letter in evidence.dead_letters():
        source = there.get(dead_letter.origin)
        if source is None:
            yield "I4", str(dead_letter.origin), f"{dead_letter.service} dead-lettered what is not on Kafka"
        elif (dead_letter.record.key, dead_letter.record.value) != (source.key, source.value):
            yield "I5", str(dead_letter.origin), f"{dead_letter.service}'s dead letter has another key or value"
        elif not _plain(source) <= _plain(dead_letter.record):
            yield "I5", str(dead_letter.origin), f"{dead_letter.service}'s dead letter lost headers"


def _plain(record: Record) -> set[tuple[str, bytes]]:
    """The headers, where none and nothing are the same."""
    return {(name, value or b"") for name, value in record.headers}
