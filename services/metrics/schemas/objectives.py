"""How far objectives are, and what one would start from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from chassis.web.http import example
from services.metrics.queries import Baseline
from services.metrics.schemas.figures import NOVEMBER, PROGRAM, Number, PeriodView


class ObjectiveView(BaseModel):
    """How far an objective is, and where the present pace leads."""

    model_config = example(
        objective_id="019c1347-d280-752e-b651-3270269e0d38",
        title="A thousand shares",
        state="open",
        use_case="employer_brand",
        kpi="shares",
        figure="shares",
        baseline=380,
        target=1000,
        starts_on="2026-11-01",
        ends_on="2026-12-31",
        reached_at=None,
        value=421,
        share=0.421,
        days_left=34,
        ended=False,
        forecast=931.2,
        low=874.4,
        high=988.0,
        outlook="unlikely",
        pace=15.0,
        needed=17.03,
    )

    objective_id: str
    title: str
    state: str = Field(description="open, reviewed (after its end), withdrawn")
    use_case: str
    kpi: str
    figure: str | None = Field(description="Whose definition it has: see `/definitions`")
    baseline: Number
    target: Number
    starts_on: date = Field(description="First day, in the programme's time zone")
    ends_on: date = Field(description="Last day, included")
    reached_at: datetime | None
    ended: bool = Field(description="Whether its last day is over: it can be reviewed")
    value: Number | None = Field(default=None, description="Null for a KPI that this version does not know")
    share: float | None = Field(
        default=None,
        description="Of the way to the target, 0 to 1 and beyond: from 0 for what adds up in the period, from the "
        "baseline for what counts people",
    )
    days_left: int | None = Field(default=None, description="Days of its period that are left, today included")
    forecast: float | None = Field(
        default=None,
        description="The value on the last day at the pace of the last four weeks; null while too few days have passed",
    )
    low: float | None = Field(default=None, description="The value ends between `low` and `high` in four of five cases")
    high: float | None = None
    outlook: str | None = Field(
        default=None,
        description="reached; likely where even `low` meets the target, unlikely where not even `high` does, open "
        "between",
    )
    pace: float | None = Field(default=None, description="By day, of what is counted: of a rate, people")
    needed: float | None = Field(default=None, description="By day from today on, to meet the target")


class ObjectivesView(BaseModel):
    """A page of objectives, those that end first first."""

    program_id: str
    items: list[ObjectiveView]
    next: str | None = Field(description="Cursor of the next page")


class BaselineView(BaseModel):
    """What an objective would start from."""

    model_config = example(program_id=PROGRAM, kpi="shares", value=380.0, measured=NOVEMBER)

    program_id: str
    kpi: str
    value: float | None = Field(description="Null where there are not two weeks to measure")
    measured: PeriodView | None = Field(description="The days by which it was measured")

    @classmethod
    def of(cls, program_id: str, kpi: str, found: Baseline) -> Self:
        measured = PeriodView.of(found.measured) if found.measured else None
        return cls(program_id=program_id, kpi=kpi, value=found.value, measured=measured)
