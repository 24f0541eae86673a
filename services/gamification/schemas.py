"""What requests and answers look like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.web.http import Total, example
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day, Moment
from herald_contracts.words import NETWORKS
from services.gamification.commands import RulesOrder
from services.gamification.domain.ledger import Allowance, Entry
from services.gamification.domain.periods import Period
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.domain.rules import ACTS, Program, Rule, RuleSet
from services.gamification.domain.standings import GroupStanding, Scope, Standing
from services.gamification.explanations import explain
from services.gamification.queries import LeaderboardResult, Points

PROGRAM = "019c1347-d280-752e-b651-3270269e0d37"
PERSON = "019c46c7-6a80-7a6a-8d23-f082128b2f33"
MAX_RULES = 50


class PointsView(BaseModel):
    """A person's points in a programme."""

    model_config = example(program_id=PROGRAM, total=182, this_week=24, this_month=96, rank=12, hidden=False)

    program_id: str
    total: int
    this_week: int = Field(description="Since Monday, in the programme's time zone")
    this_month: int
    rank: int | None = Field(description="Of all time, among all ambassadors; null for who is not ranked")
    hidden: bool = Field(description="Opted out of rankings")

    @classmethod
    def of(cls, points: Points) -> PointsView:
        return cls(
            program_id=points.program_id,
            total=points.total,
            this_week=points.this_week,
            this_month=points.this_month,
            rank=points.rank,
            hidden=points.hidden,
        )


class AllowanceView(BaseModel):
    """What another share of today earns the caller."""

    model_config = example(program_id=PROGRAM, network="linkedin", points=10, limit=5, left=2)

    program_id: str
    network: str
    points: int = Field(description="For the next share; 0 when the day's limit is reached, or no rule rewards it")
    limit: int | None = Field(description="How many shares of a day earn points; null where no limit holds")
    left: int | None = Field(description="How many more of them do today, in the programme's time zone")

    @classmethod
    def of(cls, program_id: str, network: str, found: Allowance) -> AllowanceView:
        return cls(program_id=program_id, network=network, points=found.points, limit=found.limit, left=found.left)


class EntryView(BaseModel):
    """One entry of the ledger."""

    model_config = example(
        entry_id="0d9e0f3f-8b4e-5a0b-9f6c-0d2f0a5f9c11",
        points=2,
        rule="click",
        rule_version=1,
        explanation={
            "fr": "1 personne a suivi votre lien sur LinkedIn : 2 points.",
            "en": "1 person followed your link on LinkedIn: 2 points.",
        },
        cause_type="herald.EngagementRecorded.v1",
        cause_id="019cadb5-5d1a-715b-b1eb-2010a91c2439",
        post_id="019cadb5-51f0-72e4-8923-a73694e3bf91",
        content_id="019c9e53-8680-7a09-a0fd-630ff29d0da9",
        network="linkedin",
        reverses=None,
        occurred_at="2026-03-02T09:14:31.020Z",
    )

    entry_id: str
    points: int = Field(description="Negative in a reversal")
    rule: str
    rule_version: int
    explanation: dict[str, str] = Field(description="Why, in French (`fr`) and English (`en`)")
    cause_type: str
    cause_id: str = Field(description="Id of the event that earned it")
    post_id: str | None = Field(description="Null for what is of no post, such as a lesson; so are the next two")
    content_id: str | None
    network: str | None
    reverses: str | None = Field(description="The entry whose points a reversal takes back")
    occurred_at: datetime

    @classmethod
    def of(cls, entry: Entry, rule: Rule | None) -> EntryView:
        return cls(
            entry_id=entry.id,
            points=entry.points,
            rule=entry.rule,
            rule_version=entry.rule_version,
            explanation=explain(entry, rule),
            cause_type=entry.cause_type,
            cause_id=entry.cause_id,
            post_id=entry.post_id,
            content_id=entry.content_id,
            network=entry.network,
            reverses=entry.reverses,
            occurred_at=entry.occurred_at,
        )


class LedgerView(BaseModel):
    """A page of the ledger, the latest act first."""

    items: list[EntryView]
    next: str | None = Field(description="Cursor of the next page")
    total: Total


class StandingView(BaseModel):
    """A line of a leaderboard: of a person, or of a team or country."""

    model_config = example(
        rank=3, person_id=PERSON, name=None, points=182, ambassadors=None, points_per_head=None, me=True
    )

    rank: int = Field(description="Equal points share a rank, and the ranks after it are skipped: 1, 1, 3")
    person_id: str | None = Field(description="Who it is, on a leaderboard of persons")
    name: str | None = Field(description="Which team or country, on a leaderboard of those")
    points: int
    ambassadors: int | None = Field(description="How many a team or country has, those who opted out left out")
    points_per_head: float | None = Field(description="What teams and countries are ranked by")
    me: bool = Field(description="Whether it is the caller, or the caller's team or country")

    @classmethod
    def person(cls, standing: Standing, me: str) -> StandingView:
        return cls(
            rank=standing.rank,
            person_id=standing.id,
            name=None,
            points=standing.points,
            ambassadors=None,
            points_per_head=None,
            me=standing.id == me,
        )

    @classmethod
    def group(cls, standing: GroupStanding, mine: str) -> StandingView:
        return cls(
            rank=standing.rank,
            person_id=None,
            name=standing.id,
            points=standing.points,
            ambassadors=standing.ambassadors,
            points_per_head=round(standing.per_head, 2),
            me=standing.id == mine,
        )


class LeaderboardView(BaseModel):
    """Part of a leaderboard."""

    program_id: str
    period: Period
    label: str = Field(description="The period's name", examples=["2026-W10", "2026-03", "2026-Q1", "all"])
    starts_on: date | None = Field(description="First day, in the programme's time zone; null for all time")
    ends_on: date | None = Field(description="Last day, included")
    scope: Scope
    items: list[StandingView]
    me: StandingView | None = Field(description="The caller's own line, wherever it is; null for who has none")
    next: str | None = Field(description="Cursor of the next page")

    @classmethod
    def head(cls, program_id: str, period: Period, scope: Scope, found: LeaderboardResult) -> LeaderboardView:
        first, last = found.span or (None, None)
        return cls(
            program_id=program_id,
            period=period,
            label=found.period,
            starts_on=first,
            ends_on=last,
            scope=scope,
            items=[],
            me=None,
            next=None,
        )


class RuleBody(Body):
    """Points for each act of one kind, within a day's limits."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="Names the rule; keep it from version to version")
    act: Annotated[str, OneOf(ACTS)]
    points: int = Field(ge=1, le=1000, strict=True, description="For each act")
    networks: list[Annotated[str, OneOf(NETWORKS)]] = Field(
        default=[], max_length=len(NETWORKS), description="Only on these; empty for all"
    )
    acts_a_day: int | None = Field(default=None, ge=1, le=100_000, strict=True, description="How many count a day")
    points_a_day: int | None = Field(default=None, ge=1, le=1_000_000, strict=True, description="What a day can earn")

    @property
    def rule(self) -> Rule:
        return Rule(
            self.id, self.act, self.points, tuple(dict.fromkeys(self.networks)), self.acts_a_day, self.points_a_day
        )


class RulesBody(Body):
    """A programme's whole set of rules, which replaces the one before it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "valid_from": "2026-04-01T00:00:00Z",
                "rules": [
                    {"id": "share", "act": "share", "points": 10, "acts_a_day": 5},
                    {"id": "click", "act": "click", "points": 2, "points_a_day": 40},
                    {"id": "linkedin", "act": "share", "points": 5, "networks": ["linkedin"], "acts_a_day": 1},
                ],
            }
        }
    )

    valid_from: Moment | None = Field(
        default=None, description="Not in the past; left out, the rules count from now on"
    )
    rules: list[RuleBody] = Field(max_length=MAX_RULES)
    imported_since: Day | None = Field(
        default=None,
        description="Acts that are imported from another product while these rules are in force earn points if they "
        "happened on this day or later; left out, they earn none",
    )

    @property
    def order(self) -> RulesOrder:
        return RulesOrder(tuple(rule.rule for rule in self.rules), self.valid_from, self.imported_since)


State = Literal["in_force", "scheduled", "past"]


class RuleView(BaseModel):
    """A rule as it is kept; `act` and `networks` may be words of a newer version."""

    model_config = example(id="click", act="click", points=2, networks=["linkedin"], acts_a_day=None, points_a_day=40)

    id: str
    act: str
    points: int = Field(description="For each act")
    networks: list[str] = Field(description="Only on these; empty for all")
    acts_a_day: int | None
    points_a_day: int | None

    @classmethod
    def of(cls, rule: Rule) -> RuleView:
        return cls(
            id=rule.id,
            act=rule.act,
            points=rule.points,
            networks=list(rule.networks),
            acts_a_day=rule.acts_a_day,
            points_a_day=rule.points_a_day,
        )


class RuleSetView(BaseModel):
    """One version of the rules."""

    version: int
    state: State = Field(description="`past` also where a later version replaced it before it took effect")
    valid_from: datetime
    rules: list[RuleView]
    changed_by: str | None = Field(description="The manager who decided it; null for the rules that Herald starts with")
    changed_at: datetime | None
    imported_since: date | None = Field(description="From which day on imported acts earn points; null: they do not")


class RulesView(BaseModel):
    """Versions of a programme's rules, the latest first. The ETag is the latest version of all."""

    program_id: str
    version: int = Field(description="The latest version: what If-Match names when the rules are changed")
    in_force: int = Field(description="The version that counts now")
    items: list[RuleSetView]
    next: str | None = Field(description="Cursor of the next page")

    @classmethod
    def of(cls, program: Program, found: Sequence[RuleSet], now: datetime, *, more: str | None = None) -> RulesView:
        in_force = program.rules_at(now)
        return cls(
            program_id=program.id,
            version=program.latest.version,
            in_force=in_force.version,
            items=[
                RuleSetView(
                    version=rules.version,
                    state=_state(program, rules, in_force),
                    valid_from=rules.valid_from,
                    rules=[RuleView.of(rule) for rule in rules.rules],
                    changed_by=rules.changed_by,
                    changed_at=rules.changed_at,
                    imported_since=rules.imported_since,
                )
                for rules in found
            ],
            next=more,
        )


def _state(program: Program, rules: RuleSet, in_force: RuleSet) -> State:
    """A version will count if it is the one in force at some moment from now on."""
    if rules.version == in_force.version:
        return "in_force"
    coming = rules.version > in_force.version and program.rules_at(rules.valid_from).version == rules.version
    return "scheduled" if coming else "past"


class RebuildView(BaseModel):
    """Adding the ledger up anew: how far it is, and what it found."""

    model_config = example(
        rebuild_id="019cadb5-51f0-72e4-8923-a73694e3bf91",
        program_id=PROGRAM,
        state="running",
        progress=0.42,
        ambassadors=126,
        entries=4182,
        corrected=0,
        requested_at="2026-03-02T09:14:31.020Z",
        finished_at=None,
    )

    rebuild_id: str
    program_id: str
    state: Literal["queued", "running", "done"]
    progress: float = Field(description="From 0 to 1")
    ambassadors: int = Field(description="Whose balances were added up so far")
    entries: int
    corrected: int = Field(description="Sums that were not those of the ledger, and now are; 0 when all is well")
    requested_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, rebuild: Rebuild) -> RebuildView:
        return cls(
            rebuild_id=rebuild.id,
            program_id=rebuild.program_id,
            state="running" if rebuild.state == "whole" else rebuild.state,
            progress=rebuild.progress,
            ambassadors=rebuild.ambassadors,
            entries=rebuild.entries,
            corrected=rebuild.corrected,
            requested_at=rebuild.requested_at,
            finished_at=rebuild.finished_at,
        )
