"""Which acts earn how many points. A programme's rules are versioned, dated, and never retroactive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chassis.web.problems import Invalid, Violation
from herald_contracts import words
from herald_contracts.words import NETWORKS

EARNINGS = ("click", "like", "comment", "repost")
OF_NO_POST = ("lesson", *words.ACTS)
"""Acts that happen on no network."""
ACTS = ("share", *EARNINGS, *OF_NO_POST)
"""What earns points today; the ledger and rules of a newer version may name others."""
MAX_RULES_AN_ACT = 10
"""On one network: a batch of events is booked in one transaction."""
MAX_RULES_SHOWN = 1000
"""On a page of versions."""
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """Points for each act of one kind, on the networks it names (none: on all), within a day's limits.

    `acts_a_day` limits how many acts count, `points_a_day` what they may earn together; None is no limit.
    """

    id: str
    act: str
    points: int
    networks: tuple[str, ...] = ()
    acts_a_day: int | None = None
    points_a_day: int | None = None

    @property
    def limited(self) -> bool:
        return self.acts_a_day is not None or self.points_a_day is not None

    def rewards(self, act: str, network: str | None) -> bool:
        return self.act == act and (not self.networks or network in self.networks)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of a programme's rules, and when it took or takes effect."""

    version: int
    valid_from: datetime
    rules: tuple[Rule, ...]
    changed_by: str | None = None
    changed_at: datetime | None = None
    imported_since: date | None = None
    """Acts that another product tells of earn points from this day on; None: they earn none."""

    def find(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)


@dataclass(frozen=True, slots=True)
class Program:
    """What booking needs to know of a programme. `rule_sets` are in the order of their versions, from 1."""

    id: str
    zone: ZoneInfo
    rule_sets: tuple[RuleSet, ...]

    def day_of(self, moment: datetime) -> date:
        """The day in the programme's time zone."""
        return moment.astimezone(self.zone).date()

    def rules_at(self, moment: datetime) -> RuleSet:
        """The version in force at a moment: the latest decided of those that had taken effect.

        A version decided later thus replaces what was merely scheduled.
        """
        in_force = [rules for rules in self.rule_sets if rules.valid_from <= moment]
        return in_force[-1] if in_force else self.rule_sets[0]

    def rules_for(self, occurred_at: datetime, imported_at: datetime | None) -> RuleSet | None:
        """The version by which an act earns points. What was imported earns by the rules of the moment when it came
        in, which say from which day on it does; None where it earns nothing."""
        if imported_at is None:
            return self.rules_at(occurred_at)
        rules = self.rules_at(imported_at)
        since = rules.imported_since
        return rules if since is not None and self.day_of(occurred_at) >= since else None

    @property
    def latest(self) -> RuleSet:
        return self.rule_sets[-1]

    def page(self, *, before: int | None, limit: int) -> tuple[list[RuleSet], int | None]:
        """At most `limit` versions before the version `before` (None: the latest), the latest first; fewer of long
        ones. And before which version the next page begins; None where there is none."""
        found: list[RuleSet] = []
        rules = 0
        for one in reversed(self.rule_sets):
            if before is not None and one.version >= before:
                continue
            rules += len(one.rules)
            if found and (len(found) == limit or rules > MAX_RULES_SHOWN):
                return found, found[-1].version
            found.append(one)
        return found, None

    def version(self, number: int) -> RuleSet | None:
        return next((rules for rules in self.rule_sets if rules.version == number), None)


DEFAULT_RULES = RuleSet(
    version=1,
    valid_from=ALWAYS,
    rules=(
        Rule("share", "share", 10, acts_a_day=5),
        Rule("click", "click", 2, points_a_day=40),
        Rule("like", "like", 1),
        Rule("comment", "comment", 3),
        Rule("repost", "repost", 5),
        Rule("lesson", "lesson", 5, acts_a_day=3),
        Rule("talk", "talk", 40),
        Rule("article", "article", 30),
        Rule("podcast", "podcast", 30),
        Rule("referral", "referral", 15, acts_a_day=3),
        Rule("hire", "hire", 100),
        Rule("event", "event", 10),
        Rule("event-speaker", "event_speaker", 20),
    ),
)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"no time zone {name[:64]!r}") from None


def next_rules(
    program: Program,
    rules: Sequence[Rule],
    *,
    valid_from: datetime | None,
    now: datetime,
    changed_by: str,
    imported_since: date | None = None,
) -> RuleSet:
    """The programme's next version. Raises Invalid: `not-retroactive`, `unique`, `networks-of-no-post`,
    `too-many-for-one-act`."""
    wrong = []
    if valid_from is not None and valid_from < now:
        wrong.append(Violation("valid_from", "not-retroactive", "Rules change from now on, or later."))
    ids = [rule.id for rule in rules]
    wrong += [
        Violation(f"rules.{index}.id", "unique", f"Another rule is called {id!r} already.", params={"id": id})
        for index, id in enumerate(ids)
        if id in ids[:index]
    ]
    wrong += [
        Violation(f"rules.{index}.networks", "networks-of-no-post", f"A {rule.act} happens on no network.")
        for index, rule in enumerate(rules)
        if rule.networks and rule.act in OF_NO_POST
    ]
    wrong += [
        Violation(
            "rules",
            "too-many-for-one-act",
            f"At most {MAX_RULES_AN_ACT} rules reward a {act} on one network.",
            params={"max": MAX_RULES_AN_ACT},
        )
        for act in ACTS
        if any(sum(rule.rewards(act, network) for rule in rules) > MAX_RULES_AN_ACT for network in NETWORKS)
    ]
    if wrong:
        raise Invalid("These rules cannot be taken.", errors=wrong)
    version = program.latest.version + 1
    return RuleSet(version, valid_from or now, tuple(rules), changed_by, now, imported_since)
