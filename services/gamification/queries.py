"""What people may know of their points, of their rank, and of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.principals import Principal
from chassis.web.problems import Forbidden, NotFound
from services.gamification.context import Context
from services.gamification.domain.ledger import Allowance, Entry, allowance
from services.gamification.domain.periods import ALL, Period, bounds, label
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.domain.rules import Program, Rule
from services.gamification.domain.standings import GroupStanding, Scope
from services.gamification.leaderboard.cache import Board
from services.gamification.leaderboard.reader import Page

OVERSEERS = frozenset({"manager", "admin", "editor"})


@dataclass(frozen=True, slots=True)
class Points:
    """A person's points in a programme; `rank` of all time, None for who is not ranked."""

    program_id: str
    total: int
    this_week: int
    this_month: int
    rank: int | None
    hidden: bool


async def points_of(context: Context, caller: Principal, program_id: str) -> Points:
    """Raises NotFound."""
    program = await context.programs.get(program_id)
    today = program.day_of(context.clock.now())
    periods = [ALL, label("week", today), label("month", today)]
    total, week, month = await context.ledger.balances_of(program_id, caller.id, periods)
    ranked = may_be_ranked(caller, program_id)
    rank = await context.leaderboard.rank(Board(program_id, ALL), caller.id) if ranked else None
    return Points(program_id, total, week, month, rank, hidden(caller))


async def allowance_of(context: Context, caller: Principal, program_id: str, network: str) -> Allowance:
    """What another share of today earns the caller, and how many more of them do. Raises NotFound."""
    program = await context.programs.get(program_id)
    now = context.clock.now()
    totals = await context.ledger.totals_of(program_id, caller.id, program.day_of(now))
    return allowance([one for one in program.rules_at(now).rules if one.rewards("share", network)], totals)


async def ledger_of(
    context: Context,
    caller: Principal,
    program_id: str,
    *,
    posts: Sequence[str] | None = None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[Entry, Rule | None]]:
    """A person's entries with the rule of each, the latest act first. Raises NotFound."""
    program = await context.programs.get(program_id)
    entries = await context.ledger.page(program_id, caller.id, posts=posts, before=before, limit=limit)
    return [(entry, _rule_of(program, entry)) for entry in entries]


def _rule_of(program: Program, entry: Entry) -> Rule | None:
    rules = program.version(entry.rule_version)
    return rules.find(entry.rule) if rules else None


async def rebuild_of(context: Context, program_id: str, rebuild_id: str) -> Rebuild:
    """Raises NotFound."""
    found = await context.rebuilds.find(rebuild_id)
    if found is None or found.program_id != program_id:
        raise NotFound("rebuild", rebuild_id)
    return found


@dataclass(frozen=True, slots=True)
class LeaderboardQuery:
    """Which leaderboard, and which part of it."""

    period: Period
    scope: Scope
    on: date | None
    around: bool
    start: int
    limit: int


@dataclass(frozen=True, slots=True)
class LeaderboardResult:
    """A leaderboard's period, and its persons or its groups."""

    period: str
    span: tuple[date, date] | None
    people: Page | None
    groups: list[GroupStanding] | None


async def leaderboard(
    context: Context, caller: Principal, program_id: str, wanted: LeaderboardQuery
) -> LeaderboardResult:
    """Raises NotFound, and Forbidden for who is neither of the programme nor steers it."""
    program = await context.programs.get(program_id)
    if program_id not in caller.memberships and not caller.roles & OVERSEERS:
        raise Forbidden("Leaderboards are for the programme's ambassadors.", type_="not-a-member")
    day = wanted.on or program.day_of(context.clock.now())
    board = Board(program_id, label(wanted.period, day))
    span = bounds(wanted.period, day)
    if wanted.scope == "team" or wanted.scope == "country":
        return LeaderboardResult(board.period, span, None, await context.leaderboard.groups(board, wanted.scope))
    page = await context.leaderboard.page(
        board,
        leaders=wanted.scope == "leaders",
        me=caller.id if may_be_ranked(caller, program_id) else None,
        around=wanted.around,
        start=wanted.start,
        limit=wanted.limit,
    )
    return LeaderboardResult(board.period, span, page, None)


def hidden(person: Principal) -> bool:
    """Whether a person opted out of rankings, or of named statistics: a line of a leaderboard is both."""
    return person.hidden_from_rankings or person.hidden_from_statistics


def may_be_ranked(person: Principal, program_id: str) -> bool:
    """Whether leaderboards show this person."""
    return person.active and program_id in person.memberships and not hidden(person)
