"""What a dashboard is sent as figures move."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.metrics.schemas.figures import FigureView, PeriodView
from services.metrics.schemas.objectives import ObjectiveView


class LiveLine(BaseModel):
    """Of a day, network, country or item: only what is shown of it."""

    key: str | None = Field(description="Null: groups of fewer people than `HERALD_SMALL_GROUP`, put together")
    shares: int
    clicks_counted: int = Field(default=0, description="Of days, networks and items")
    ambassadors_enrolled: int = Field(default=0, description="Of countries")


class LiveSeries(BaseModel):
    """What a dashboard draws."""

    day: list[LiveLine] = Field(description="Every day of the period")
    network: list[LiveLine]
    country: list[LiveLine]
    content: list[LiveLine] = Field(description="The ten items that brought most clicks")


class LiveView(BaseModel):
    """The data of an event `figures`: everything that a dashboard shows, so that nothing else need be asked."""

    program_id: str
    version: int = Field(description="Rises whenever a figure of the programme moves; the id of the event too")
    period: PeriodView
    figures: dict[str, FigureView]
    series: LiveSeries
    objectives: list[ObjectiveView] = Field(description="Those that are open, at most 20")


LIVE_EXAMPLE = (
    "event: figures\nid: 7\n"
    'data: {"program_id": "019c1347-d280-752e-b651-3270269e0d37", "version": 7, '
    '"period": {"from": "2026-11-01", "to": "2026-11-30"}, '
    '"figures": {"shares": {"value": 421, "formula": "|posts shared| - |those of them taken back|"}}, '
    '"series": {"day": [], "network": [{"key": "linkedin", "shares": 225, "clicks_counted": 702}], '
    '"country": [], "content": []}, "objectives": []}\n\n'
    "event: heartbeat\ndata: {}\n\n"
)
