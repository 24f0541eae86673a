"""A ledger in memory that reads and writes what the store reads and writes, and facts to fill it with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chassis.ids import derived_id
from services.gamification.domain.ledger import (
    BalanceKey,
    Entry,
    Fact,
    LedgerState,
    Total,
    TotalKey,
    balance_changes,
    book,
    claims_of,
    total_changes,
)
from services.gamification.domain.rules import ALWAYS, DEFAULT_RULES, Program, Rule, RuleSet

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARIS = Program("paris", ZoneInfo("Europe/Paris"), (DEFAULT_RULES,))


def with_rules(*rules: Rule) -> Program:
    return Program("paris", ZoneInfo("Europe/Paris"), (RuleSet(1, ALWAYS, rules),))


def fact(act: str, post: str = "post", *, cause: str | None = None, **changes: object) -> Fact:
    """A fact about a post of `ann`, at noon."""
    values: dict[str, object] = {
        "cause_id": cause or derived_id(act, post),
        "cause_type": "herald.EngagementRecorded.v1",
        "act": act,
        "quantity": 1,
        "ambassador_id": "ann",
        "program_id": "paris",
        "post_id": post,
        "content_id": "content",
        "network": "linkedin",
        "occurred_at": NOON,
        **changes,
    }
    return Fact(**values)  # type: ignore[arg-type]


@dataclass
class LedgerHarness:
    """Entries, and what is kept beside them by increments."""

    programs: Mapping[str, Program] = field(default_factory=lambda: {"paris": PARIS})
    entries: dict[str, Entry] = field(default_factory=dict)
    balances: Counter[BalanceKey] = field(default_factory=Counter)
    totals: dict[TotalKey, Total] = field(default_factory=dict)
    removals: dict[str | None, Fact] = field(default_factory=dict)

    def take(self, facts: Sequence[Fact]) -> list[Entry]:
        """Book one batch."""
        claimed = list(claims_of(facts, self.programs))
        removed = {one.reversed_by for one in facts if one.act == "removal"}
        reversible: dict[str | None, list[Entry]] = defaultdict(list)
        for entry in self.entries.values():
            if entry.reversed_by in removed - {None}:
                reversible[entry.reversed_by].append(entry)
        past = LedgerState(
            ids=self.entries.keys() & {claim.id for one in claimed for claim in one.claims},
            reversible=dict(reversible),
            removals=dict(self.removals),
            totals={
                claim.total: self.totals.get(claim.total, Total())
                for one in claimed
                for claim in one.claims
                if claim.rule.limited
            },
        )
        booked = list(book(claimed, past))
        for one in facts:
            if one.act == "removal":
                self.removals.setdefault(one.reversed_by, one)
        for entry in booked:
            assert entry.id not in self.entries
            self.entries[entry.id] = entry
        for key, points in balance_changes(booked).items():
            self.balances[key] += points
        for total_key, change in total_changes(booked).items():
            so_far = self.totals.get(total_key, Total())
            self.totals[total_key] = Total(so_far.acts + change.acts, so_far.points + change.points)
        return booked

    def take_all(self, batches: Iterable[Sequence[Fact]]) -> LedgerHarness:
        for batch in batches:
            self.take(batch)
        return self

    def points(self, ambassador: str = "ann", period: str = "all") -> int:
        return self.balances[BalanceKey("paris", period, ambassador)]

    def by_day(self) -> dict[tuple[str, date, str], tuple[int, int]]:
        """Acts and points by ambassador, day and rule, added up from the entries alone."""
        found: dict[tuple[str, date, str], tuple[int, int]] = {}
        for entry in self.entries.values():
            key = (entry.ambassador_id, entry.day, entry.rule)
            acts, points = found.get(key, (0, 0))
            found[key] = (acts + entry.acts, points + entry.points)
        return found
