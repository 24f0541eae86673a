"""Booking: from what happened to entries of the points ledger.

The ledger is a function of the facts of each ambassador in their order, whatever batches they came in:
an entry's id is derived from what earned it, so that a fact that comes again finds its entry there, and
the limits of a day look only at that day's entries of the same rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from chassis.ids import derived_id
from services.gamification.domain.periods import labels
from services.gamification.domain.rules import Program, Rule


class Fact(NamedTuple):
    """Something that happened, as far as points are concerned; `act` is one of `ACTS`, or `removal`. What is of no post
    names none, and no content and network."""

    cause_id: str
    cause_type: str
    act: str
    quantity: int
    ambassador_id: str
    program_id: str
    post_id: str | None
    content_id: str | None
    network: str | None
    occurred_at: datetime
    imported_at: datetime | None = None
    """When it came in from another product; None for what happened here."""
    act_id: str | None = None
    """Of an act beside sharing."""

    @property
    def origin(self) -> str:
        """What stays the same if the fact comes again: a post is shared once, whatever the event is called."""
        return (self.reversed_by if self.act != "removal" else None) or self.cause_id

    @property
    def reversed_by(self) -> str | None:
        """The post or act whose removal takes the points of this fact back; None where nothing does. Of a removal, what
        it takes back."""
        if self.act_id is not None:
            return self.act_id
        return self.post_id if self.act in ("share", "removal") else None


class SourcedFact(NamedTuple):
    """A fact, the place on Kafka that it came from (topic, partition, offset), and the trace that it continues."""

    fact: Fact
    place: tuple[str, int, int]
    traceparent: str | None = None
    tracestate: str | None = None


class Entry(NamedTuple):
    """One line of the ledger. `day` is the day it counts for; a reversal counts for the day of what it reverses.

    `acts` is how many acts were counted and `worth` what they would have earned without a day's limits; both
    are negative in a reversal.
    """

    id: str
    ambassador_id: str
    program_id: str
    points: int
    acts: int
    worth: int
    rule: str
    rule_version: int
    act: str
    cause_id: str
    cause_type: str
    post_id: str | None
    content_id: str | None
    network: str | None
    day: date
    occurred_at: datetime
    reverses: str | None = None
    act_id: str | None = None

    @property
    def reversed_by(self) -> str | None:
        """The post or act whose removal takes it back; None where nothing does."""
        return self.act_id or (self.post_id if self.act == "share" else None)

    @property
    def total_key(self) -> TotalKey:
        return TotalKey(self.program_id, self.ambassador_id, self.day, self.rule)


class TotalKey(NamedTuple):
    """Whose total of which rule on which day."""

    program_id: str
    ambassador_id: str
    day: date
    rule: str


class Total(NamedTuple):
    """What a rule counted and gave."""

    acts: int = 0
    points: int = 0

    def plus(self, entry: Entry) -> Total:
        return Total(self.acts + entry.acts, self.points + entry.points)


class Claim(NamedTuple):
    """What a fact may earn by a rule: the entry that it would be, and the total that limits it."""

    id: str
    rule: Rule
    version: int
    total: TotalKey


class Claims(NamedTuple):
    """A fact with what it may earn; a removal claims nothing."""

    fact: Fact
    claims: tuple[Claim, ...]


def claims_of(facts: Iterable[Fact], programs: Mapping[str, Program]) -> Iterator[Claims]:
    """What the facts may earn by the rules in force when they happened. Each one's programme must be given."""
    return (Claims(fact, tuple(_claims(fact, programs[fact.program_id]))) for fact in facts)


def _claims(fact: Fact, program: Program) -> Iterator[Claim]:
    rules = program.rules_for(fact.occurred_at, fact.imported_at)
    if rules is None:
        return
    day = program.day_of(fact.occurred_at)
    for rule in rules.rules:
        if rule.rewards(fact.act, fact.network):
            total = TotalKey(fact.program_id, fact.ambassador_id, day, rule.id)
            yield Claim(derived_id(fact.origin, rule.id), rule, rules.version, total)


@dataclass
class LedgerState:
    """What is booked already, as far as the facts at hand touch it: the ids of claimed entries that exist, the
    totals of claims that a limit holds for, the entries (and reversals) of posts and acts that are removed, and the
    removals that came before what they remove."""

    ids: set[str] = field(default_factory=set)
    totals: dict[TotalKey, Total] = field(default_factory=dict)
    reversible: dict[str | None, list[Entry]] = field(default_factory=dict)
    removals: dict[str | None, Fact] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        self.ids.add(entry.id)
        self.totals[entry.total_key] = self.totals.get(entry.total_key, Total()).plus(entry)
        if entry.reversed_by is not None:
            self.reversible.setdefault(entry.reversed_by, []).append(entry)


def book(claimed: Iterable[Claims], state: LedgerState) -> Iterator[Entry]:
    """The entries that the facts lead to, in order; `state` is brought up to date with each before the next."""
    for one in claimed:
        fact = one.fact
        if fact.act != "removal":
            yield from _added(_earned(one, state), state)
        removal = state.removals.setdefault(fact.reversed_by, fact) if fact.act == "removal" else None
        if fact.act != "removal" and fact.reversed_by is not None:
            removal = state.removals.get(fact.reversed_by)
        if removal is not None:
            yield from _added(_reversals(removal, state), state)


def _added(entries: Iterable[Entry], state: LedgerState) -> Iterator[Entry]:
    for entry in entries:
        state.add(entry)
        yield entry


def grant(rule: Rule, quantity: int, so_far: Total) -> Total:
    """What `quantity` acts earn by a rule, given what the day has had of it."""
    acts = quantity if rule.acts_a_day is None else min(quantity, max(0, rule.acts_a_day - so_far.acts))
    points = acts * rule.points
    if rule.points_a_day is not None:
        points = min(points, max(0, rule.points_a_day - so_far.points))
    return Total(acts, points)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the next act earns, and how many acts of the day still earn points, of how many: None where no limit holds
    or nothing is earned at all."""

    points: int
    limit: int | None = None
    left: int | None = None


def allowance(rules: Iterable[Rule], totals: Mapping[str, Total]) -> Allowance:
    """For acts that all these rules reward, given what each rule has counted on the day."""
    rules = list(rules)
    so_far = {rule.id: totals.get(rule.id, Total()) for rule in rules}
    points = sum(grant(rule, 1, so_far[rule.id]).points for rule in rules)
    if not rules or not all(rule.limited for rule in rules):
        return Allowance(points)
    limits = [_acts_left(rule, Total()) for rule in rules]
    left = [_acts_left(rule, so_far[rule.id]) for rule in rules]
    return Allowance(points, max(limits), max(left))


def _acts_left(rule: Rule, so_far: Total) -> int:
    """How many further acts earn something by a rule that is limited."""
    found = []
    if rule.acts_a_day is not None:
        found.append(rule.acts_a_day - so_far.acts)
    if rule.points_a_day is not None:
        found.append(-((so_far.points - rule.points_a_day) // rule.points))
    return max(0, min(found))


def _earned(claimed: Claims, state: LedgerState) -> Iterator[Entry]:
    fact = claimed.fact
    for claim in claimed.claims:
        if claim.id in state.ids:
            continue
        given = grant(claim.rule, fact.quantity, state.totals.get(claim.total, Total()))
        if given.points == 0:
            continue
        yield Entry(
            id=claim.id,
            ambassador_id=fact.ambassador_id,
            program_id=fact.program_id,
            points=given.points,
            acts=given.acts,
            worth=fact.quantity * claim.rule.points,
            rule=claim.rule.id,
            rule_version=claim.version,
            act=claim.rule.act,
            cause_id=fact.cause_id,
            cause_type=fact.cause_type,
            post_id=fact.post_id,
            content_id=fact.content_id,
            network=fact.network,
            day=claim.total.day,
            occurred_at=fact.occurred_at,
            act_id=fact.act_id,
        )


def _reversals(fact: Fact, state: LedgerState) -> list[Entry]:
    """What undoes the points of a share or act; what came of it (clicks, likes) stays, for it did happen."""
    entries = state.reversible.get(fact.reversed_by, [])
    undone = {entry.reverses for entry in entries}
    return [
        Entry(
            id=derived_id(entry.id, "reversal"),
            ambassador_id=entry.ambassador_id,
            program_id=entry.program_id,
            points=-entry.points,
            acts=-entry.acts,
            worth=-entry.worth,
            rule=entry.rule,
            rule_version=entry.rule_version,
            act=entry.act,
            cause_id=fact.cause_id,
            cause_type=fact.cause_type,
            post_id=entry.post_id,
            content_id=entry.content_id,
            network=entry.network,
            day=entry.day,
            occurred_at=fact.occurred_at,
            reverses=entry.id,
            act_id=entry.act_id,
        )
        for entry in entries
        if entry.reverses is None and entry.id not in undone
    ]


class BalanceKey(NamedTuple):
    """Whose balance in which period."""

    program_id: str
    period: str
    ambassador_id: str


def balance_changes(entries: Iterable[Entry]) -> dict[BalanceKey, int]:
    """By how much the entries move each balance."""
    changes: dict[BalanceKey, int] = defaultdict(int)
    for entry in entries:
        for period in labels(entry.day):
            changes[BalanceKey(entry.program_id, period, entry.ambassador_id)] += entry.points
    return dict(changes)


def total_changes(entries: Iterable[Entry]) -> dict[TotalKey, Total]:
    """By how much the entries move each day's total of a rule."""
    changes: dict[TotalKey, Total] = {}
    for entry in entries:
        changes[entry.total_key] = changes.get(entry.total_key, Total()).plus(entry)
    return changes
