"""What figures look like, of a programme and of one person."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from chassis.web.http import example
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.periods import Period
from services.metrics.queries import By

PROGRAM = "019c1347-d280-752e-b651-3270269e0d37"
Language = Literal["fr", "en"]
Number = int | float


NOVEMBER = {"from": "2026-11-01", "to": "2026-11-30"}
PARTICIPATION = {
    "value": 0.68,
    "numerator": 204,
    "denominator": 300,
    "formula": "active_ambassadors / ambassadors_enrolled",
}
CLICKS = {
    "value": 1874,
    "by_verdict": {"bot": 125, "counted": 1305, "prefetch": 112, "repeat": 197, "self": 135},
    "formula": "count(click)",
}


class PeriodView(BaseModel):
    """Days in the programme's time zone, both included."""

    model_config = example(**NOVEMBER)

    first: date = Field(alias="from")
    to: date

    @classmethod
    def of(cls, period: Period) -> Self:
        return cls.model_validate({"from": period.first, "to": period.last})


class FigureView(BaseModel):
    """A figure with what it is made of; only what applies to it is there."""

    model_config = example(**PARTICIPATION)

    value: Number | None = Field(description="Null where there is nothing to divide by")
    numerator: Number = Field(default=0, description="Of a rate")
    denominator: Number = Field(default=0, description="Of a rate: see the figure's definition")
    by_verdict: dict[str, int] = Field(default={}, description="Raw clicks by what they were taken for")
    by_kind: dict[str, int] = Field(default={}, description="Engagements beside clicks; acts by what they are")
    estimated: int = Field(default=0, description="How much of the value a network's own estimate is")
    potential: int = Field(default=0, description="How much of the value might have been, by the size of an audience")
    imported: int = Field(default=0, description="How much of the value came with the history of another product")
    currency: str = Field(default="", description="ISO 4217, of amounts")
    formula: str


class SliceView(BaseModel):
    """The figures of one period."""

    period: PeriodView
    suppressed: bool = Field(description="Fewer than 5 people were enrolled: their figures would be persons' own")
    figures: dict[str, FigureView] = Field(description="By name; empty where suppressed")

    @classmethod
    def of(cls, period: Period, found: dict[str, Any] | None) -> Self:
        return cls(
            period=PeriodView.of(period),
            suppressed=found is None,
            figures={name: FigureView.model_validate(figure) for name, figure in (found or {}).items()},
        )


class FiguresView(SliceView):
    """The figures of a period, and of the same number of days before it."""

    model_config = example(
        program_id=PROGRAM,
        period=NOVEMBER,
        suppressed=False,
        figures={"participation_rate": PARTICIPATION, "clicks_raw": CLICKS},
        previous={"period": {"from": "2026-10-02", "to": "2026-10-31"}, "suppressed": True, "figures": {}},
    )

    program_id: str
    previous: SliceView


class EntryView(BaseModel):
    """Counts of one day, network, item, country or team."""

    model_config = example(
        key="linkedin",
        shares=225,
        clicks_raw=1010,
        clicks_counted=702,
        engagements=702,
        earned_media_value=2246.4,
        ambassadors_enrolled=None,
    )

    key: str | None = Field(description="Null: groups of fewer people than `HERALD_SMALL_GROUP`, put together")
    shares: int
    clicks_raw: int
    clicks_counted: int
    engagements: int
    earned_media_value: float
    ambassadors_enrolled: int | None = Field(default=None, description="Of countries and teams")


class SeriesView(BaseModel):
    """Counts side by side."""

    program_id: str
    period: PeriodView
    by: By
    items: list[EntryView]
    next: str | None = Field(default=None, description="Cursor of the next page")


class DefinitionView(BaseModel):
    """What a figure means."""

    model_config = example(
        figure="participation_rate",
        name="Participation rate",
        definition="Ambassadors who shared at least once in the period, out of those enrolled at any time in it.",
        formula="active_ambassadors / ambassadors_enrolled",
        unit="rate",
    )

    figure: str
    name: str
    definition: str
    formula: str
    unit: str


class DefinitionsView(BaseModel):
    """All figures, in one language."""

    items: list[DefinitionView]

    @classmethod
    def of(cls, language: Language) -> Self:
        return cls(
            items=[
                DefinitionView(
                    figure=figure,
                    name=one.name[language],
                    definition=one.text[language],
                    formula=one.formula,
                    unit=one.unit,
                )
                for figure, one in DEFINITIONS.items()
            ]
        )


class OwnCounts(BaseModel):
    """Counts of one ambassador's posts."""

    shares: int
    clicks_raw: int
    clicks_counted: int
    engagements: int


class OwnView(BaseModel):
    """What one's own posts brought."""

    model_config = example(
        program_id=PROGRAM,
        period=NOVEMBER,
        figures={"shares": 3, "clicks_raw": 21, "clicks_counted": 14, "engagements": 14},
    )

    program_id: str
    period: PeriodView
    figures: OwnCounts
