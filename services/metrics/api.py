"""The API of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from chassis.clock import Clock
from chassis.directory import Principal
from chassis.http import Body, Caller, Router, Token, Unit, requires
from chassis.mongo import Document
from chassis.problems import Forbidden, NotFound
from services.metrics import commands, queries
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.periods import Period, zone
from services.metrics.domain.value import FORMULA, Rates
from services.metrics.live import Live
from services.metrics.queries import By, Slice
from services.metrics.store import Store

router = Router(prefix="/v1", tags=["metrics"])
Steering = Annotated[Principal, requires("manager", "admin", "herald:metrics:read")]
Setting = Annotated[Principal, requires("manager", "admin")]


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the routes work with."""

    store: Store
    live: Live
    clock: Clock


def _parts(request: Request) -> Metrics:
    parts: Metrics = request.app.state.parts
    return parts


From = Annotated[
    date | None, Query(alias="from", description="First day, in the programme's time zone", examples=["2026-11-01"])
]
To = Annotated[date | None, Query(description="Last day, included; today by default", examples=["2026-11-30"])]
Network = Annotated[str | None, Query(max_length=32, pattern=r"^[a-z]+$")]
Name = Annotated[str | None, Query(max_length=200)]
Amount = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=4)]
Action = Literal["click", "like", "comment", "repost", "impression"]


class RatesOrder(Body):
    """Rates of the earned media value from a day on; network `*` stands for all that are not named."""

    valid_from: date
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    source: Annotated[str, Field(min_length=3, max_length=500, examples=["Average CPC of our paid campaigns, Q3"])]
    rates: Annotated[
        dict[Annotated[str, Field(pattern=r"^([a-z]{1,32}|\*)$")], dict[Action, Amount]],
        Field(min_length=1, max_length=32, examples=[{"linkedin": {"click": "3.20"}, "*": {"click": "0.50"}}]),
    ]


@router.get("/programs/{program_id}/figures", summary="Every figure of a period and slice, with the period before")
async def get_figures(
    request: Request,
    program_id: str,
    caller: Steering,
    first: From = None,
    to: To = None,
    network: Network = None,
    country: Name = None,
    team: Name = None,
    content_id: Name = None,
) -> dict[str, Any]:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    period = queries.period_of(first, to, program["time_zone"], parts.clock.now())
    part = Slice(network=network, content_id=content_id, country=country, team=team)
    return {
        "program_id": program_id,
        **await _figures(parts.store, program, period, part),
        "previous": await _figures(parts.store, program, period.before, part),
    }


async def _figures(store: Store, program: Document, period: Period, part: Slice) -> dict[str, Any]:
    """`suppressed`, without figures, where the group is too small to be shown."""
    found = await queries.figures(store, program, period, part)
    return {"period": _view(period), "suppressed": found is None, "figures": found or {}}


@router.get("/programs/{program_id}/series", summary="Counts by day, network, content, country or team")
async def get_series(
    request: Request,
    program_id: str,
    caller: Steering,
    by: By,
    first: From = None,
    to: To = None,
    network: Network = None,
    content_id: Name = None,
) -> dict[str, Any]:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    period = queries.period_of(first, to, program["time_zone"], parts.clock.now())
    part = Slice(network=network, content_id=content_id)
    found = await queries.series(parts.store, program, period, by, part)
    return {"program_id": program_id, "period": _view(period), "by": by, "items": found}


@router.get("/definitions", summary="What each figure means, with its formula")
async def get_definitions(caller: Caller, language: Literal["fr", "en"] = "en") -> dict[str, Any]:
    return {
        "items": [
            {
                "figure": figure,
                "name": one.name[language],
                "definition": one.text[language],
                "formula": one.formula,
                "unit": one.unit,
            }
            for figure, one in DEFINITIONS.items()
        ]
    }


@router.get("/programs/{program_id}/rates", summary="The rates of the earned media value, every version")
async def get_rates(request: Request, program_id: str, caller: Steering) -> dict[str, Any]:
    parts = _parts(request)
    await queries.program_of(parts.store, program_id)
    return {
        "formula": FORMULA,
        "items": [_rates_view(one) for one in await queries.versions_of(parts.store, program_id)],
    }


@router.put("/programs/{program_id}/rates", summary="Set rates from a day on; earlier days keep theirs")
async def put_rates(request: Request, program_id: str, order: RatesOrder, caller: Setting, unit: Unit) -> Response:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    today = parts.clock.now().astimezone(zone(program["time_zone"])).date().isoformat()
    rates = order.model_dump(mode="json")
    return await unit.run(
        lambda tx: commands.set_rates(parts.store, program_id, rates, today, tx),
        view=lambda row: _rates_view(queries.rates_from(row)),
    )


@router.get("/programs/{program_id}/objective", summary="The objective's progress and where the present pace leads")
async def get_objective(request: Request, program_id: str, caller: Steering) -> dict[str, Any]:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    found = await queries.objective_view(parts.store, program, parts.clock.now())
    if found is None:
        raise NotFound("objective of program", program_id)
    return found


@router.get(
    "/programs/{program_id}/live",
    summary="Figures as they move, as server-sent events",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    response_class=StreamingResponse,
)
async def get_live(request: Request, program_id: str, caller: Steering, token: Token) -> StreamingResponse:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    parts.live.check_room()

    async def may_listen() -> bool:
        if token.claims["exp"] < parts.clock.now().timestamp():
            return False
        if token.machine:
            return True
        found = await request.app.state.principals.find(token.account)
        return found is not None and found.active and bool(found.roles & {"manager", "admin"})

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    body = parts.live.stream(program, may_listen=may_listen)
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


@router.get("/me/figures", summary="What one's own posts brought")
async def get_own(
    request: Request,
    caller: Caller,
    program_id: Annotated[str, Query(max_length=128)],
    first: From = None,
    to: To = None,
) -> dict[str, Any]:
    parts = _parts(request)
    program = await queries.program_of(parts.store, program_id)
    if program_id not in caller.memberships:
        raise Forbidden("Only ambassadors of the programme have figures of their own.", type_="not-a-member")
    period = queries.period_of(first, to, program["time_zone"], parts.clock.now())
    found = await queries.own_figures(parts.store, program, caller.id, period)
    return {"program_id": program_id, "period": _view(period), "figures": found}


def _view(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def _rates_view(rates: Rates) -> dict[str, Any]:
    return {
        "version": rates.version,
        "valid_from": rates.valid_from,
        "currency": rates.currency,
        "source": rates.source,
        "rates": {
            network: {action: float(amount) for action, amount in actions.items()}
            for network, actions in rates.rates.items()
        },
    }
