"""Routes: parse, call, answer."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from chassis.mongo import Document
from chassis.principals import Principal
from chassis.web.http import (
    Cursor,
    IfMatch,
    Limit,
    Person,
    Router,
    Token,
    Unit,
    decode_cursor,
    encode_cursor,
    etag,
    requires,
    service_context,
    version_of,
)
from chassis.web.one_of import OneOf
from chassis.web.problems import Forbidden, ForeignCursor, NotFound
from chassis.web.rights import PERSON
from chassis.web.statuses import problems
from chassis.web.times import Day
from herald_contracts import words
from services.metrics import commands, queries
from services.metrics.cohorts.queries import comparison
from services.metrics.context import Context
from services.metrics.domain.periods import MAX_DAYS, Period, zone
from services.metrics.queries import By, Slice
from services.metrics.schemas.figures import (
    DefinitionsView,
    EntryView,
    FiguresView,
    Language,
    OwnCounts,
    OwnView,
    PeriodView,
    SeriesView,
    SliceView,
)
from services.metrics.schemas.live import LIVE_EXAMPLE
from services.metrics.schemas.objectives import BaselineView, ObjectivesView, ObjectiveView
from services.metrics.schemas.rates import RatesBody, RateSetView, RatesView
from services.metrics.schemas.tips import TipView
from services.metrics.schemas.waves import WaveView
from services.metrics.tips import weekly_tip

router = Router(tags=["metrics"])
READ = "herald:metrics:read"
MAX_POSITION = 100_000_000
Steering = Annotated[Principal, requires("manager", "admin", READ)]
DefinitionReader = Annotated[Principal, requires(PERSON, READ)]
Setting = Annotated[Principal, requires("manager", "admin")]


Use = Annotated[Context, Depends(service_context)]
From = Annotated[
    Day | None, Query(alias="from", description="First day, in the programme's time zone", examples=["2026-11-01"])
]
To = Annotated[Day | None, Query(description="Last day, included; today by default", examples=["2026-11-30"])]
Network = Annotated[words.Network | None, Query()]
Name = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/programs/{program_id}/figures",
    summary="Every figure of a period and slice, with the period before",
    response_model_exclude_unset=True,
)
async def get_figures(
    context: Use,
    program_id: str,
    caller: Steering,
    first: From = None,
    to: To = None,
    network: Network = None,
    country: Name = None,
    team: Name = None,
    wave_id: Name = None,
    content_id: Name = None,
) -> FiguresView:
    program = await queries.program_of(context, program_id)
    period = queries.period_of(first, to, program["time_zone"], context.clock.now())
    part = Slice(network=network, content_id=content_id, country=country, team=team, wave_id=wave_id)
    now = await _slice(context, program, period, part)
    before = await _slice(context, program, period.before, part)
    return FiguresView(
        program_id=program_id, previous=before, period=now.period, suppressed=now.suppressed, figures=now.figures
    )


async def _slice(context: Context, program: Document, period: Period, part: Slice) -> SliceView:
    return SliceView.of(period, await queries.figures(context, program, period, part))


@router.get(
    "/programs/{program_id}/series",
    summary="Counts by day, network, content (the most clicks first), country or team",
    response_model_exclude_unset=True,
)
async def get_series(
    context: Use,
    program_id: str,
    caller: Steering,
    by: By,
    first: From = None,
    to: To = None,
    network: Network = None,
    content_id: Name = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=MAX_DAYS)] = MAX_DAYS,
) -> SeriesView:
    program = await queries.program_of(context, program_id)
    period = queries.period_of(first, to, program["time_zone"], context.clock.now())
    part, start = Slice(network=network, content_id=content_id), _position(cursor) or 0
    found = await queries.series(context, program, period, by, part, start=start, limit=limit + 1)
    items = [EntryView.model_validate(one) for one in found[:limit]]
    more = encode_cursor(start + limit) if len(found) > limit else None
    return SeriesView(program_id=program_id, period=PeriodView.of(period), by=by, items=items, next=more)


def _position(cursor: str | None) -> int | None:
    found = decode_cursor(cursor)
    if found is not None and (type(found) is not int or not 0 <= found <= MAX_POSITION):
        raise ForeignCursor
    return found


@router.get("/definitions", summary="What each figure means, with its formula")
async def get_definitions(caller: DefinitionReader, language: Language = "en") -> DefinitionsView:
    return DefinitionsView.of(language)


@router.get("/programs/{program_id}/rates", summary="The rates of the earned media value, the latest version first")
async def get_rates(
    context: Use, program_id: str, caller: Steering, response: Response, cursor: Cursor = None, limit: Limit = 50
) -> RatesView:
    await queries.program_of(context, program_id)
    latest = await context.store.rates.latest(program_id)
    found, before = await queries.rates_page(context, program_id, before=_position(cursor), limit=limit)
    response.headers.update(etag(latest.version))
    return RatesView.of(found, more=None if before is None else encode_cursor(before))


@router.put(
    "/programs/{program_id}/rates",
    summary="Set rates from a day on; earlier days keep theirs",
    response_model=RateSetView,
)
async def put_rates(
    context: Use, program_id: str, body: RatesBody, caller: Setting, unit: Unit, expected: IfMatch
) -> Response:
    """`If-Match` names the latest version that the caller has seen."""
    program = await queries.program_of(context, program_id)
    today = context.clock.now().astimezone(zone(program["time_zone"])).date().isoformat()
    return await unit.run(
        lambda tx: commands.set_rates(context, tx, program_id, body.rates_from_day(), today, expected=expected),
        view=RateSetView.of,
        etag=version_of,
    )


@router.get("/programs/{program_id}/objectives", summary="How far the objectives are, and where the pace leads")
async def get_objectives(
    context: Use,
    program_id: str,
    caller: Steering,
    state: Annotated[words.ObjectiveState, Query()] = "open",
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ObjectivesView:
    program = await queries.program_of(context, program_id)
    start = _position(cursor) or 0
    found = await queries.objectives(context, program, context.clock.now(), state=state, start=start, limit=limit + 1)
    more = encode_cursor(start + limit) if len(found) > limit else None
    items = [ObjectiveView.model_validate(one) for one in found[:limit]]
    return ObjectivesView(program_id=program_id, items=items, next=more)


@router.get("/programs/{program_id}/objectives/{objective_id}", summary="How far one objective is")
async def get_objective(context: Use, program_id: str, objective_id: str, caller: Steering) -> ObjectiveView:
    program = await queries.program_of(context, program_id)
    found = await context.store.objectives.get(program_id, objective_id)
    if found is None:
        raise NotFound("objective", objective_id)
    return ObjectiveView.model_validate(await queries.objective_progress(context, program, found, context.clock.now()))


@router.get("/programs/{program_id}/waves/{wave_id}", summary="What came of a wave, beside the wave before")
async def get_wave(context: Use, program_id: str, wave_id: str, caller: Steering) -> WaveView:
    """Participation, retention at four weeks and feedback, each with its interval (95 %), and the differences from the
    wave before. Figures of fewer than `HERALD_SMALL_GROUP` people are left out."""
    program = await queries.program_of(context, program_id)
    found = await comparison(context, program, wave_id, context.clock.now())
    return WaveView.compared(program_id, found, context.small_group)


@router.get("/programs/{program_id}/baseline", summary="What an objective for these days would start from")
async def get_baseline(
    context: Use,
    program_id: str,
    caller: Steering,
    kpi: Annotated[str, OneOf(words.KPIS), Query()],
    first: Annotated[Day, Query(alias="from")],
    to: Annotated[Day, Query()],
) -> BaselineView:
    """The KPI's figure of as many days before; what adds up is brought to the length of the period."""
    program = await queries.program_of(context, program_id)
    period = queries.period_of(first, to, program["time_zone"], context.clock.now())
    return BaselineView.of(program_id, kpi, await queries.baseline(context, program, kpi, period, context.clock.now()))


@router.get(
    "/programs/{program_id}/live",
    summary="What a dashboard shows, as it moves, as server-sent events",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": LIVE_EXAMPLE}}}},
    response_class=StreamingResponse,
)
async def get_live(
    request: Request,
    context: Use,
    program_id: str,
    caller: Steering,
    token: Token,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, today included")] = 30,
) -> StreamingResponse:
    """`figures`, whole, at once and whenever something moved (`LiveView`); `heartbeat` at least every 15 s."""
    program = await queries.program_of(context, program_id)
    context.live.check_room()

    async def may_listen() -> bool:
        if token.claims["exp"] < context.clock.now().timestamp():
            return False
        if token.machine:
            return True
        found = await request.app.state.principals.find(token.account)
        return (
            found is not None and found.active and not found.within(program_id).roles.isdisjoint(("manager", "admin"))
        )

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    body = context.live.stream(program, days, partial(queries.live_figures, context), may_listen=may_listen)
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


@router.get("/me/figures", summary="What one's own posts brought", responses=problems(404))
async def get_own(
    context: Use,
    caller: Person,
    program_id: Annotated[str, Query(max_length=128)],
    first: From = None,
    to: To = None,
) -> OwnView:
    program = await queries.program_of(context, program_id)
    if program_id not in caller.memberships:
        raise Forbidden("Only ambassadors of the programme have figures of their own.", type_="not-a-member")
    period = queries.period_of(first, to, program["time_zone"], context.clock.now())
    found = await queries.own_figures(context, program, caller.id, period)
    return OwnView(program_id=program_id, period=PeriodView.of(period), figures=OwnCounts.model_validate(found))


@router.get("/me/tip", summary="What one's own posts tell this week", responses=problems(404))
async def get_tip(context: Use, caller: Person, program_id: Annotated[str, Query(max_length=128)]) -> TipView:
    """What of one's own posts of the last half year brought more clicks, where enough posts say so and chance hardly
    would; the same all week. Nobody else sees it."""
    program = await queries.program_of(context, program_id)
    if program_id not in caller.memberships:
        raise Forbidden("Only ambassadors of the programme have figures of their own.", type_="not-a-member")
    return TipView.model_validate(await weekly_tip(context, program, caller.id, context.clock.now()))
