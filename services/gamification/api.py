"""Routes: parse, call, answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response

from chassis.principals import Principal
from chassis.web.http import (
    Cursor,
    IfMatch,
    Limit,
    Person,
    Router,
    Unit,
    decode_cursor,
    encode_cursor,
    etag,
    requires,
    service_context,
)
from chassis.web.one_of import OneOf
from chassis.web.problems import ForeignCursor
from chassis.web.rights import PERSON
from chassis.web.statuses import problems
from chassis.web.times import Day
from herald_contracts.base import Id, in_utc
from herald_contracts.words import NETWORKS
from services.gamification import commands, queries
from services.gamification.context import Context
from services.gamification.domain.periods import Period
from services.gamification.domain.rules import Program
from services.gamification.domain.standings import Scope
from services.gamification.queries import LeaderboardQuery
from services.gamification.schemas import (
    PROGRAM,
    AllowanceView,
    EntryView,
    LeaderboardView,
    LedgerView,
    PointsView,
    RebuildView,
    RulesBody,
    RulesView,
    StandingView,
)

router = Router()
ID = r"^[A-Za-z0-9._:@-]{1,128}$"
MAX_POSITION = 100_000_000
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


Use = Annotated[Context, Depends(service_context)]
ProgramPath = Annotated[str, Path(pattern=ID, description="The programme", examples=[PROGRAM])]
ProgramQuery = Annotated[str, Query(pattern=ID, description="The programme", examples=[PROGRAM])]
Reader = Annotated[Principal, requires(PERSON, "herald:recognition:read")]
Manager = Annotated[Principal, requires("manager")]
Admin = Annotated[Principal, requires("admin")]


@router.get("/me/points", summary="My points and my rank", responses=problems(404))
async def my_points(program_id: ProgramQuery, caller: Person, context: Use) -> PointsView:
    return PointsView.of(await queries.points_of(context, caller, program_id))


@router.get("/me/allowance", summary="What another share of today earns me", responses=problems(404))
async def my_allowance(
    program_id: ProgramQuery,
    network: Annotated[str, OneOf(NETWORKS), Query(examples=["linkedin"])],
    caller: Person,
    context: Use,
) -> AllowanceView:
    """By the rules in force and what today's shares have earned already."""
    return AllowanceView.of(program_id, network, await queries.allowance_of(context, caller, program_id, network))


@router.get("/me/ledger", summary="My points one by one, and why I got each", responses=problems(404))
async def my_ledger(
    program_id: ProgramQuery,
    caller: Person,
    context: Use,
    post_id: Annotated[list[Id] | None, Query(max_length=100, description="What came of these posts only")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LedgerView:
    before = _place(decode_cursor(cursor))
    found = await queries.ledger_of(context, caller, program_id, posts=post_id, before=before, limit=limit + 1)
    page = found[:limit]
    following = None
    if len(found) > limit:
        last = page[-1][0]
        following = encode_cursor([last.occurred_at.isoformat(), last.id])
    total = await context.ledger.count(program_id, caller.id, post_id) if before is None else None
    return LedgerView(items=[EntryView.of(entry, rule) for entry, rule in page], next=following, total=total)


def _place(cursor: Any) -> tuple[datetime, str] | None:
    match cursor:
        case None:
            return None
        case [str() as moment, str() as id]:
            try:
                return in_utc(datetime.fromisoformat(moment)), id
            except ValueError:
                raise ForeignCursor from None
    raise ForeignCursor


@router.get("/programs/{program_id}/leaderboard", summary="Who stands where")
async def leaderboard(
    program_id: ProgramPath,
    caller: Reader,
    context: Use,
    period: Period = "month",
    scope: Scope = "individual",
    on: Annotated[
        Day | None,
        Query(ge=FIRST_DAY, le=LAST_DAY, description="A day of the period that is meant; today's if left out"),
    ] = None,
    around: Annotated[
        str | None, Query(pattern="^me$", description="`me`: the ranks around my own; for persons and leaders")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LeaderboardView:
    """Those who opted out of rankings are on none, and count for no team and no country."""
    start = _position(decode_cursor(cursor))
    wanted = LeaderboardQuery(period, scope, on, around is not None, start, limit)
    found = await queries.leaderboard(context, caller, program_id, wanted)
    head = LeaderboardView.head(program_id, period, scope, found)
    if found.people is not None:
        page = found.people
        items = [StandingView.person(one, caller.id) for one in page.standings]
        mine = StandingView.person(page.mine, caller.id) if page.mine else None
        return head.model_copy(update={"items": items, "me": mine, "next": _next(page.next)})
    own = caller.team if scope == "team" else caller.country
    groups = found.groups or []
    items = [StandingView.group(one, own) for one in groups[start : start + limit]]
    more = start + limit if start + limit < len(groups) else None
    mine = next((StandingView.group(one, own) for one in groups if one.id == own), None)
    return head.model_copy(update={"items": items, "me": mine, "next": _next(more)})


def _position(cursor: Any) -> int:
    if cursor is None:
        return 0
    if type(cursor) is not int or not 0 <= cursor <= MAX_POSITION:
        raise ForeignCursor
    return cursor


def _next(position: int | None) -> str | None:
    return None if position is None else encode_cursor(position)


@router.get("/programs/{program_id}/rules", summary="What earns how many points")
async def rules(
    program_id: ProgramPath,
    caller: Reader,
    context: Use,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RulesView:
    """Everybody may know the rules: now, before, and what is decided for later."""
    before = _position(decode_cursor(cursor)) if cursor else None
    program = await context.programs.get(program_id)
    response.headers.update(etag(program.latest.version))
    return _rules(program, context.clock.now(), before=before, limit=limit)


def _rules(program: Program, now: datetime, *, before: int | None = None, limit: int = 50) -> RulesView:
    found, more = program.page(before=before, limit=limit)
    return RulesView.of(program, found, now, more=_next(more))


@router.post("/programs/{program_id}/rules", summary="Decide new rules", status_code=201, response_model=RulesView)
async def change_rules(
    program_id: ProgramPath, body: RulesBody, manager: Manager, unit: Unit, context: Use, expected: IfMatch
) -> Response:
    """A new version, from now on or from a time to come; it replaces what was scheduled and changes no point
    that was given. `If-Match` names the latest version that the caller has seen."""
    return await unit.run(
        lambda tx: commands.change_rules(context, tx, program_id, body.order, by=manager.id, expected=expected),
        view=lambda program: _rules(program, context.clock.now()),
        status=201,
        etag=lambda program: program.latest.version,
    )


@router.post(
    "/programs/{program_id}/leaderboard/rebuild",
    summary="Add the ledger up anew",
    status_code=202,
    response_model=RebuildView,
)
async def request_rebuild(program_id: ProgramPath, admin: Admin, unit: Unit, context: Use) -> Response:
    """A job makes every balance the sum of its entries, while points go on being given; `Location` says how far it
    is. Leaderboards follow once all balances are whole. A rebuild that is under way is not begun twice."""
    return await unit.run(
        lambda tx: commands.request_rebuild(context, tx, program_id, by=admin.id),
        view=RebuildView.of,
        status=202,
        location=lambda rebuild: f"/v1/programs/{rebuild.program_id}/leaderboard/rebuilds/{rebuild.id}",
    )


@router.get("/programs/{program_id}/leaderboard/rebuilds/{rebuild_id}", summary="How far a rebuild is")
async def rebuild(
    program_id: ProgramPath, rebuild_id: Annotated[str, Path(max_length=64)], admin: Admin, context: Use
) -> RebuildView:
    """What is done is kept for 30 days."""
    return RebuildView.of(await queries.rebuild_of(context, program_id, rebuild_id))
