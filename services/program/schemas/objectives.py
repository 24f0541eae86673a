"""Objectives as they are set and answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Line, Markdown
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from herald_contracts.base import Id
from herald_contracts.words import (
    BASELINE_SOURCES,
    KPIS,
    USE_CASES,
    BaselineSource,
    Kpi,
    ObjectiveState,
    UseCase,
)
from services.program.schemas.fields import AT, ID, PROGRAM_ID, View

OBJECTIVE_ID = "019c186e-2e80-76ca-890c-192cd3ac94af"
ITEM_ID = "019c9e53-8680-7a09-a0fd-630ff29d0da9"
MAX_LINKED = 200
FIRST_DAY = "First day, in the programme's time zone"
LAST_DAY = "Last day, included"


class ObjectiveView(View):
    """What a programme wants to reach."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": OBJECTIVE_ID,
                    "program_id": PROGRAM_ID,
                    "version": 1,
                    "title": "Half of us, once",
                    "use_case": "employer_brand",
                    "kpi": "participation_rate",
                    "baseline": 0.08,
                    "baseline_source": "measured",
                    "target": 0.35,
                    "starts_on": "2026-03-01",
                    "ends_on": "2026-06-30",
                    "owner_id": ID,
                    "items": [ITEM_ID],
                    "challenges": [],
                    "state": "open",
                    "learned": "",
                    "reviewed_by": None,
                    "reviewed_at": None,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    title: str = Field(description="Empty where nobody gave it a name")
    use_case: UseCase
    kpi: Kpi
    baseline: float
    baseline_source: BaselineSource
    target: float
    starts_on: date = Field(description=FIRST_DAY)
    ends_on: date = Field(description=LAST_DAY)
    owner_id: str | None = Field(description="The person who answers for it")
    items: list[str] = Field(description="The content that serves it, by id")
    challenges: list[str] = Field(description="The challenges that serve it, by id")
    state: ObjectiveState
    learned: str = Field(description="What was learned, once it is reviewed; Markdown")
    reviewed_by: str | None
    reviewed_at: datetime | None
    updated_at: datetime


class ObjectivesView(View):
    """A page of objectives, those that end first first."""

    items: list[ObjectiveView]
    next: str | None
    total: int


Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Linked = Annotated[list[Id], Field(max_length=MAX_LINKED)]


class NewObjective(Body):
    """What the programme wants to reach. Baseline and target are in the KPI's unit: a count, a rate from 0 to 1, or
    an amount."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Half of us, once",
                    "use_case": "employer_brand",
                    "kpi": "participation_rate",
                    "baseline": 0.08,
                    "baseline_source": "measured",
                    "target": 0.35,
                    "starts_on": "2026-03-01",
                    "ends_on": "2026-06-30",
                    "items": [ITEM_ID],
                }
            ]
        }
    )

    title: Annotated[str, Line(120)] = ""
    use_case: Annotated[str, OneOf(USE_CASES)]
    kpi: Annotated[str, OneOf(KPIS)]
    baseline: Amount
    baseline_source: Annotated[str, OneOf(BASELINE_SOURCES)] = Field(
        "given", description="`measured` where `GET /programs/{program_id}/baseline` of metrics gave it"
    )
    target: Annotated[Amount, Field(gt=0)]
    starts_on: Day = Field(description=FIRST_DAY)
    ends_on: Day = Field(description=LAST_DAY)
    owner_id: Annotated[str, Field(max_length=128)] | None = Field(None, description="Who answers for it")
    items: Linked = Field([], description="The content that serves it")
    challenges: Linked = Field([], description="The challenges that serve it")

    def values(self) -> dict[str, Any]:
        """As the domain has them; what is named twice serves once."""
        linked = {name: tuple(dict.fromkeys(getattr(self, name))) for name in ("items", "challenges")}
        return {**dict(self), **linked}


class Review(Body):
    """What was learned, once the objective's period is over."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"learned": "Posts with a face brought twice the clicks; ask earlier."}]}
    )

    learned: Annotated[str, Markdown(4_000)] = Field(description="Markdown")
