"""What requests and answers look like."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from chassis.proportions import Estimate
from chassis.web.http import example
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from herald_contracts.words import ENGAGEMENT_KINDS, MAX_LENGTH
from services.metrics.cohorts.queries import Comparison, WaveFigures
from services.metrics.domain.cohorts import Feedback, Rate, Status
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.periods import Period
from services.metrics.domain.value import FORMULA, Rates
from services.metrics.queries import Baseline, By

PROGRAM = "019c1347-d280-752e-b651-3270269e0d37"
Language = Literal["fr", "en"]
Number = int | float
Amount = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=4)]
Action = Annotated[str, OneOf(ENGAGEMENT_KINDS)]


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
LINKEDIN_RATES = {"linkedin": {"click": 3.2}, "*": {"click": 0.5}}


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


class RatesBody(Body):
    """Rates of the earned media value from a day on; network `*` stands for all that are not named."""

    valid_from: Day
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    source: Annotated[str, Field(min_length=3, max_length=500, examples=["Average CPC of our paid campaigns, Q3"])]
    rates: Annotated[
        dict[Annotated[str, Field(pattern=rf"^([a-z][a-z0-9_-]{{0,{MAX_LENGTH - 1}}}|\*)$")], dict[Action, Amount]],
        Field(min_length=1, max_length=32, examples=[{"linkedin": {"click": "3.20"}, "*": {"click": "0.50"}}]),
    ]

    def rates_from_day(self) -> Rates:
        """As the domain has them; the version is given when they are set."""
        rates = {
            network: {str(action): amount for action, amount in one.items()} for network, one in self.rates.items()
        }
        return Rates(0, self.valid_from.isoformat(), self.currency, self.source, rates)


class RateSetView(BaseModel):
    """One version of the rates."""

    model_config = example(
        version=1,
        valid_from="2026-11-01",
        currency="EUR",
        source="Average CPC of our paid campaigns, Q3",
        rates=LINKEDIN_RATES,
    )

    version: int = Field(description="0: Herald's starting values")
    valid_from: date
    currency: str
    source: str
    rates: dict[str, dict[str, float]] = Field(description="Network, or `*`, to action to amount")

    @classmethod
    def of(cls, rates: Rates) -> Self:
        return cls(
            version=rates.version,
            valid_from=date.fromisoformat(rates.valid_from),
            currency=rates.currency,
            source=rates.source,
            rates={
                network: {action: float(amount) for action, amount in actions.items()}
                for network, actions in rates.rates.items()
            },
        )


class RatesView(BaseModel):
    """Versions of the rates, the latest first. The ETag is the latest version of all."""

    formula: str
    items: list[RateSetView]
    next: str | None = Field(description="Cursor of the next page")

    @classmethod
    def of(cls, versions: list[Rates], *, more: str | None) -> Self:
        return cls(formula=FORMULA, items=[RateSetView.of(one) for one in versions], next=more)


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


class SideView(BaseModel):
    """Posts that are alike."""

    model_config = ConfigDict(from_attributes=True)

    posts: int
    clicks: float = Field(description="Counted clicks of a post's first seven days, on average")


class TipFiguresView(BaseModel):
    """What brought more, and by how much."""

    model_config = ConfigDict(from_attributes=True)

    about: str = Field(description="`pictures` (image, video, infographic), `own_words`, `network`")
    network: str | None = Field(description="The one that brought more, of `about` `network`")
    better: SideView
    other: SideView


class TipView(BaseModel):
    """The tip of a week."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM,
                    "week": "2026-11-23",
                    "tip": {
                        "about": "pictures",
                        "network": None,
                        "better": {"posts": 12, "clicks": 6.3},
                        "other": {"posts": 18, "clicks": 3.0},
                    },
                }
            ]
        },
    )

    program_id: str
    week: date = Field(description="Its Monday, in the programme's time zone")
    tip: TipFiguresView | None = Field(description="Null where one's posts say nothing that chance could not have said")


# --- waves ---------------------------------------------------------------------------------------------------------

WAVE = "019ca3b0-5e80-7c14-9f27-8d1e6b40a2c5"
PARTICIPATION_OF_WAVE = {
    "status": "shown",
    "value": 0.625,
    "low": 0.427,
    "high": 0.788,
    "numerator": 15,
    "denominator": 24,
}


class EstimateView(BaseModel):
    """A value, and between what it lies as likely as not to be wrong one time in twenty."""

    model_config = example(value=0.125, low=-0.137, high=0.368)

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Estimate | None) -> Self | None:
        return None if found is None else cls(**{name: round(one, 4) for name, one in found._asdict().items()})


class WaveFigureView(BaseModel):
    """A figure of a wave with its interval (95 %)."""

    model_config = example(**PARTICIPATION_OF_WAVE)

    status: Status = Field(
        description="`too_early`: too few members are in it long enough; `too_few`: fewer than make a group; `none`: "
        "nothing was asked"
    )
    value: float | None = None
    low: float | None = None
    high: float | None = None
    numerator: int | None = None
    denominator: int | None = Field(default=None, description="Of feedback: how many answered")

    @classmethod
    def of(cls, found: Rate | Feedback) -> Self:
        whole = (
            {"denominator": found.answers}
            if isinstance(found, Feedback)
            else {"numerator": found.numerator, "denominator": found.denominator}
        )
        values = {} if found.estimate is None else {k: round(v, 4) for k, v in found.estimate._asdict().items()}
        return cls(status=found.status, **values, **whole)


class CohortView(BaseModel):
    """What came of a wave's cohort."""

    wave_id: str
    starts_on: date
    ends_on: date
    suppressed: bool = Field(description="The cohort has fewer members than make a group")
    members: int | None = Field(description="Who entered, but for those who keep out of named statistics")
    left: int | None = Field(description="Who of them is an ambassador no more; they count still")
    shared: int | None = Field(description="Who of them shared within five weeks, so far")
    participation: WaveFigureView = Field(
        description="Members who shared in their first four weeks, of those whose first four weeks are over"
    )
    retention: WaveFigureView = Field(
        description="Of members who shared in their first four weeks, and whose fifth is over: those who shared in the "
        "fifth week too"
    )
    enps: WaveFigureView = Field(
        description="Of the last closed survey that asked this wave alone, in points from -100 to 100"
    )

    @classmethod
    def of(cls, found: WaveFigures) -> Self:
        one = found.figures
        return cls(
            wave_id=found.wave["_id"],
            starts_on=found.wave["starts_on"],
            ends_on=found.wave["ends_on"],
            suppressed=one.members is None,
            members=one.members,
            left=one.left,
            shared=one.shared,
            participation=WaveFigureView.of(one.participation),
            retention=WaveFigureView.of(one.retention),
            enps=WaveFigureView.of(found.feedback),
        )


_COHORT = {
    "wave_id": WAVE,
    "starts_on": "2026-03-02",
    "ends_on": "2026-04-12",
    "suppressed": False,
    "members": 24,
    "left": 1,
    "shared": 16,
    "participation": PARTICIPATION_OF_WAVE,
    "retention": {"status": "shown", "value": 0.6, "low": 0.357, "high": 0.802, "numerator": 9, "denominator": 15},
    "enps": {"status": "none"},
}


class WaveView(CohortView):
    """What came of a wave, and how much that differs from the wave before."""

    model_config = example(
        program_id=PROGRAM,
        **_COHORT,
        small_group=5,
        before=None,
        differences={"participation": None, "retention": None, "enps": None},
    )

    program_id: str
    small_group: int = Field(description="How many people a figure needs")
    before: CohortView | None = Field(description="The wave before; null for the first")
    differences: dict[str, EstimateView | None] = Field(
        description="This wave's figure less that of the wave before, by figure; null where one of them is not known. "
        "The two differ clearly where the interval does not hold 0"
    )

    @classmethod
    def compared(cls, program_id: str, found: Comparison, small_group: int) -> Self:
        own = CohortView.of(found.wave)
        return cls(
            **dict(own),
            program_id=program_id,
            small_group=small_group,
            before=CohortView.of(found.before) if found.before else None,
            differences={
                name: EstimateView.of(found.differences.get(name)) for name in ("participation", "retention", "enps")
            },
        )
