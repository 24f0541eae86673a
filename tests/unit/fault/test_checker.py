"""The checker of the fault suite: a small world in which every promise holds, and each broken once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fault.checker import Report, bounded, check, recovered
from tests.fault.evidence import Evidence, Record, consumers, contract, record_of
from tests.fault.journal import Choice, Click, Journal, NewItem, Produced, Share, Tally, Wording

AT = "2026-03-02T10:00:00.000Z"
DAY, PERSON, PROGRAM, POST, ITEM = "2026-03-02", "p1", "g1", "post1", "item1"
OF_POST = {
    "post_id": POST, "ambassador_id": PERSON, "program_id": PROGRAM, "content_id": ITEM, "network": "x",
    "occurred_at": AT,
}  # fmt: skip


class Small:
    """A person, an item, a post with a click and a like, and what became of them."""

    def __init__(self) -> None:
        self.evidence = Evidence({name: [] for name in contract()}, {}, consumers())
        self.journal = Journal(people={PERSON: 2})
        self._topics()
        self._stores()
        self.journal.shares.append(Share("s000001", PERSON, {POST}))
        self.journal.clicks.append(Click("c000001.example", "code1", "counted", answered=True))
        self.journal.tallies.append(Tally("t000001", POST, "like", 1, AT, answered=True))
        self.journal.choices.append(Choice(PERSON, value=True, answered=True))
        self.journal.wordings.append(Wording("w000001", ITEM, 5))
        self.journal.new_items.append(NewItem("n000001", {"item2"}))

    def tell(self, topic: str, key: str, name: str, id: str, trace: str = "", **data: Any) -> Record:
        """Append an event to partition 0 of a topic, consumed by all."""
        headers = [("ce_id", id.encode()), ("ce_type", f"herald.{name}.v1".encode())]
        headers.append(("traceparent", f"00-{trace or id:0<32}-00-00".encode()))
        return self.put(topic, key, json.dumps(data).encode(), headers)

    def put(self, topic: str, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> Record:
        records = self.evidence.records[topic]
        record = record_of(topic, 0, len(records), key.encode(), value, headers)
        records.append(record)
        for service, topics in self.evidence.consumers.items():
            if topic in topics:
                self.store(service, "offsets")[f"{topic}:0"] = {"next": len(records)}
                if record.type in topics[topic]:
                    self.store(service, "inbox")[record.id] = {}
        return record

    def store(self, service: str, collection: str) -> dict[str, Any]:
        return self.evidence.stores.setdefault(service, {}).setdefault(collection, {})

    def dead_letter(self, service: str, record: Record, rule: str, value: bytes | None = None) -> None:
        place = dict(zip(("topic", "partition", "offset"), record.place, strict=True))
        added = {"id": f"letter-{record.place}", "rule": rule, **place}
        headers = [(name, one or b"") for name, one in record.headers]
        headers += [(f"herald_deadletter_{name}", str(one).encode()) for name, one in added.items()]
        self.store(service, "inbox").pop(record.id, None)
        self.put(f"herald.deadletters.{service}", PERSON, value or record.value or b"", headers)

    def _topics(self) -> None:
        state: dict[str, Any] = {"person_id": PERSON, "country": "FR", "active": True, "occurred_at": AT}
        self.tell("herald.people", PERSON, "PersonProvisioned", "e1", revision=1, **state)
        self.tell("herald.people", PERSON, "AmbassadorJoined", "e2", person_id=PERSON, program_id=PROGRAM)
        self.tell("herald.people", PERSON, "PersonUpdated", "e3", revision=2, **state)
        self.tell("herald.program", PROGRAM, "ProgramCreated", "e4", program_id=PROGRAM, time_zone="UTC")
        for revision, name in ((2, "Submitted"), (3, "Approved"), (4, "Published"), (5, "Updated")):
            said: dict[str, Any] = {"content_id": ITEM, "revision": revision, "variants": [{"title": "Title w000001"}]}
            self.tell("herald.content", ITEM, f"Content{name}", f"i{revision}", **said)
        self.tell("herald.posts", PERSON, "PostShared", "e5", **OF_POST, link_code="code1")
        self.tell("herald.clicks", "code1", "LinkClicked", "e6", "click", link_code="code1", referrer="c000001.example")
        counted: dict[str, Any] = {**OF_POST, "quantity": 1, "verdict": "counted", "measure": "measured"}
        self.tell("herald.engagements", PERSON, "EngagementRecorded", "e7", "click", **counted, kind="click")
        self.tell("herald.engagements", PERSON, "EngagementRecorded", "e8", **counted, kind="like")
        for cause, rule in (("e5", "share"), ("e7", "click"), ("e8", "like")):
            points: dict[str, Any] = {"entry_id": f"{cause}-{rule}", "ambassador_id": PERSON, "cause_id": cause}
            self.tell("herald.recognition", PERSON, "PointsAwarded", f"a-{cause}", **points)

    def _stores(self) -> None:
        self.store("program", "people")[PERSON] = {"version": 2, "hidden_from_statistics": True}
        self.store("content", "items")[ITEM] = {"version": 5, "copy": {"variants": [{"title": "Title w000001"}]}}
        self.store("content", "items")["item2"] = {"version": 1, "copy": {"variants": [{"title": "Title n000001"}]}}
        self.store("sharing", "posts")[POST] = {
            "link_code": "code1", "clicks": {"counted": 1}, "removed_at": None, "caption": "Read s000001",
        }  # fmt: skip
        self.store("sharing", "contents")[ITEM] = {"revision": 5}
        for service in ("content", "sharing", "gamification", "metrics"):
            self.store(service, "principals")[PERSON] = {
                "revision": 2, "country": "FR", "active": True, "memberships": [PROGRAM],
            }  # fmt: skip
        for cause, rule, points in (("e5", "share", 10), ("e7", "click", 2), ("e8", "like", 1)):
            self.store("gamification", "ledger")[f"{cause}-{rule}"] = {
                "cause_id": cause, "rule": rule, "points": points,
            }  # fmt: skip
        for period in ("2026-W10", "2026-03", "2026-Q1", "all"):
            self.store("gamification", "balances")[f"{PROGRAM}|{PERSON}|{period}"] = {"points": 13}
        for id in ("e5", "e7", "e8"):
            self.store("metrics", "facts")[id] = {}
        counts = {"shares": 1, "click_counted": 1, "like": 1}
        self.store("metrics", "totals")[f"{PROGRAM}|{DAY}|x|{ITEM}"] = dict(counts)
        self.store("metrics", "person_days")[f"{PROGRAM}|{DAY}|{PERSON}|x"] = dict(counts)
        self.store("metrics", "enrolments")[f"{PROGRAM}|{PERSON}"] = {"changes": [[0.0, "e2", True]]}

    def checked(self) -> Report:
        return check(self.evidence, self.journal)


def test_a_sound_world_breaks_no_promise() -> None:
    small = Small()
    report = small.checked()
    assert [str(one) for one in report.violations] == []
    assert report.duplicates == {}
    assert report.events == 15


Break = Callable[[Small], object]


def _lost_share(small: Small) -> None:
    small.store("sharing", "posts").clear()
    small.evidence.records["herald.posts"].clear()


def _unpublished(small: Small) -> None:
    small.evidence.records["herald.recognition"].pop()


def _fact_twice(small: Small) -> None:
    for name in ("totals", "person_days"):
        for row in small.store("metrics", name).values():
            row["like"] = 2


def _line_twice(small: Small) -> None:
    small.store("gamification", "ledger")["again"] = {"cause_id": "e8", "rule": "like", "points": 1}
    small.tell("herald.recognition", PERSON, "PointsAwarded", "a-again", entry_id="again", ambassador_id=PERSON)


def _balance_wrong(small: Small) -> None:
    small.store("gamification", "balances")[f"{PROGRAM}|{PERSON}|all"]["points"] = 15


def _judged_twice(small: Small) -> None:
    counted = {**OF_POST, "quantity": 1, "verdict": "repeat", "measure": "measured", "kind": "click"}
    small.tell("herald.engagements", PERSON, "EngagementRecorded", "e9", "click", **counted)
    small.store("metrics", "facts")["e9"] = {}


def _key_made_two_items(small: Small) -> None:
    small.store("content", "items")["item3"] = small.store("content", "items")["item2"]


def _new_item_lost(small: Small) -> None:
    del small.store("content", "items")["item2"]


def _key_made_two_posts(small: Small) -> None:
    small.store("sharing", "posts")["post2"] = {"link_code": "c2", "clicks": {}, "caption": "Read s000001"}
    small.tell("herald.posts", "p2", "PostShared", "e10", **{**OF_POST, "post_id": "post2"})


def _swapped(small: Small) -> None:
    records = small.evidence.records["herald.content"]
    small.evidence.records["herald.content"] = [records[index] for index in (0, 2, 1, 3)]


def _gap(small: Small) -> None:
    small.evidence.records["herald.content"].pop(2)


def _awards_swapped(small: Small) -> None:
    small.evidence.records["herald.recognition"].reverse()


def _two_partitions(small: Small) -> None:
    first = small.evidence.records["herald.posts"][0]
    small.evidence.records["herald.posts"].append(
        record_of(first.topic, 1, 0, first.key, first.value, first.headers)
    )  # fmt: skip


def _never_committed(small: Small) -> None:
    small.tell("herald.recognition", PERSON, "PointsAwarded", "a-ghost", entry_id="ghost", ambassador_id=PERSON)


def _revision_never_committed(small: Small) -> None:
    small.store("program", "people")[PERSON]["version"] = 1


def _engagement_of_nothing(small: Small) -> None:
    said: dict[str, Any] = {**OF_POST, "kind": "click", "quantity": 1, "verdict": "bot", "measure": "measured"}
    small.tell("herald.engagements", PERSON, "EngagementRecorded", "e11", **said)


def _passed_over(small: Small) -> None:
    small.store("gamification", "inbox").pop("e8")


def _applied_without_effect(small: Small) -> None:
    small.store("metrics", "facts").pop("e8")


def _never_consumed(small: Small) -> None:
    small.store("sharing", "offsets")["herald.clicks:0"]["next"] = 0


def _good_event_dead_lettered(small: Small) -> None:
    small.dead_letter("metrics", small.evidence.records["herald.engagements"][1], "failed")


def _letter_changed(small: Small) -> None:
    record = small.put("herald.engagements", PERSON, b"{", [("ce_type", b"herald.EngagementRecorded.v1")])
    small.dead_letter("metrics", record, "header-missing", b"[")
    small.dead_letter("gamification", record, "header-missing")


def _poison_ignored(small: Small) -> None:
    fates = frozenset(("dead-lettered",))
    small.journal.produced.append(Produced("bad", "herald.engagements", "the wrong schema", fates))  # type: ignore[arg-type]
    small.tell("herald.engagements", PERSON, "Elsewhere", "bad")


def _click_lost(small: Small) -> None:
    small.journal.clicks.append(Click("c000002.example", "code1", "counted", answered=True))


def _click_misjudged(small: Small) -> None:
    small.journal.clicks[0].verdict = "bot"


@pytest.mark.parametrize(
    ("promise", "whom", "broken"),
    [
        ("I1", POST, _lost_share),
        ("I1", "e8-like", _unpublished),
        ("I2", f"{PROGRAM}|{DAY}|x|{ITEM}", _fact_twice),
        ("I2", "e8", _line_twice),
        ("I2", f"{PROGRAM}|{PERSON}|all", _balance_wrong),
        ("I2", "e6", _judged_twice),
        ("I2", "s000001", _key_made_two_posts),
        ("I2", "n000001", _key_made_two_items),
        ("I1", "item2", _new_item_lost),
        ("I3", ITEM, _swapped),
        ("I3", ITEM, _gap),
        ("I3", "a-e7", _awards_swapped),
        ("I3", repr(PERSON.encode()), _two_partitions),
        ("I4", "a-ghost", _never_committed),
        ("I4", "e3", _revision_never_committed),
        ("I4", "e11", _engagement_of_nothing),
        ("I5", "e8", _passed_over),
        ("I5", "e8", _applied_without_effect),
        ("I5", "e6", _never_consumed),
        ("I5", "e8", _good_event_dead_lettered),
        ("I5", str(("herald.engagements", 0, 2)), _letter_changed),
        ("I5", "bad", _poison_ignored),
        ("I8", "c000002.example", _click_lost),
        ("I8", "e6", _click_misjudged),
    ],
)
def test_each_broken_promise_is_named_with_whom_it_was_broken_to(promise: str, whom: str, broken: Break) -> None:
    small = Small()
    broken(small)
    found = {(one.promise, one.whom) for one in small.checked().violations}
    assert (promise, whom) in found, found


def test_duplicates_are_counted_without_those_that_were_wanted() -> None:
    small = Small()
    for record in list(small.evidence.records["herald.posts"]):
        small.put(record.topic, PERSON, record.value or b"", [(name, one or b"") for name, one in record.headers])
    report = small.checked()
    assert report.violations == []
    assert report.duplicates == {"e5": 1}
    assert [one.promise for one in bounded("events", 1, 0)] == ["I7"]
    assert not list(bounded("events", 1, 1))
    small.journal.repeated["e5"] = 1
    assert small.checked().duplicates == {}


def test_recovery_is_complete_and_in_time() -> None:
    assert not list(recovered(12.0, 60.0, []))
    assert [str(one) for one in recovered(61.0, 60.0, [])] == ["I6 the system: took 61 s, not 60 s"]
    assert [one.promise for one in recovered(3.0, 60.0, ["sharing: 3 in the outbox"])] == ["I6"]
