"""Waves as they are planned, decided on and answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from chassis.rules import broken
from chassis.text import Markdown, Prose, Title
from chassis.web.json_bodies import Body
from chassis.web.times import Day
from services.program.domain.people import Segment
from services.program.domain.waves import Criteria, Decision, Wave, WaveState
from services.program.queries.waves import Standing
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Country, Line, View, places_of

WAVE_ID = "019ca3b0-5e80-7c14-9f27-8d1e6b40a2c5"
MAX_NAMED = 500
MAX_DECIDERS = 10
Measure = Literal["participation", "retention", "enps"]
PersonId = Annotated[str, Field(max_length=128)]
_PLAN: Any = {
    "name": "Pilot",
    "goal": "Do twenty of us find the time?",
    "changes": "",
    "targets": {"participation": 0.6, "retention": 0.5},
    "starts_on": "2026-03-02",
    "ends_on": "2026-04-12",
}
_CRITERIA: Any = {
    "everybody": False,
    "countries": [],
    "teams": ["Field service"],
    "sites": [],
    "leaders_only": False,
    "people": [],
}
_DECISION: Any = {
    "decision": "go",
    "reasons": "Six in ten shared; half of them still do. Next: fewer mails.",
    "decided_by": [ID],
}


class CriteriaBody(Body):
    """Which ambassadors enter: those of a segment, or some by id (`people`), or `everybody`, said in so many words."""

    everybody: bool = False
    countries: Annotated[list[Country], Field(max_length=300)] = Field([])
    teams: Annotated[list[Line], Field(max_length=1000)] = Field([])
    sites: Annotated[list[Line], Field(max_length=1000)] = Field([])
    leaders_only: bool = False
    people: Annotated[list[PersonId], Field(max_length=MAX_NAMED)] = Field([])

    @model_validator(mode="after")
    def _somebody(self) -> CriteriaBody:
        segment = bool(self.countries or self.teams or self.sites or self.leaders_only)
        if (self.everybody, segment, bool(self.people)).count(True) != 1:
            raise broken(
                "empty-segment", "Name countries, teams, sites or leaders; or people; or else say `everybody`."
            )
        return self

    @property
    def criteria(self) -> Criteria:
        segment = Segment(
            countries=tuple(self.countries),
            teams=tuple(self.teams),
            sites=tuple(self.sites),
            leaders_only=self.leaders_only,
        )
        return Criteria(self.everybody, segment, tuple(dict.fromkeys(self.people)))


class TargetsBody(Body):
    """What the wave is to reach."""

    participation: float | None = Field(None, gt=0, le=1, description="Share who post within four weeks")
    retention: float | None = Field(None, gt=0, le=1, description="Share of these who post in the fifth week too")
    enps: float | None = Field(None, ge=-100, le=100)


class NewWave(Body):
    """A wave, as it is planned."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PLAN, "criteria": _CRITERIA}]})

    name: Annotated[str, Title(80)]
    starts_on: Day = Field(description="First day, in the programme's time zone")
    ends_on: Day = Field(description="Last day, included")
    criteria: CriteriaBody
    goal: Annotated[str, Prose(4_000)] = Field("", description="What it is to show; Markdown")
    changes: Annotated[str, Prose(4_000)] = Field("", description="What differs from the wave before; Markdown")
    targets: TargetsBody = Field(default_factory=TargetsBody)

    def values(self) -> dict[str, Any]:
        targets = {name: value for name, value in dict(self.targets).items() if value is not None}
        return {**dict(self), "criteria": self.criteria.criteria, "targets": targets}


class DecisionBody(Body):
    """What was decided after a wave, why, and by whom."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DECISION]})

    decision: Decision
    reasons: Annotated[str, Markdown(4_000)] = Field(description="Why; Markdown")
    decided_by: Annotated[list[PersonId], Field(min_length=1, max_length=MAX_DECIDERS)] | None = Field(
        None, description="Who decided; the caller where nobody is named"
    )


class CriteriaView(View):
    """Which ambassadors enter."""

    everybody: bool
    countries: list[str]
    teams: list[str]
    sites: list[str]
    leaders_only: bool
    people: list[str]

    @classmethod
    def of(cls, criteria: Criteria) -> CriteriaView:
        return cls(
            everybody=criteria.everybody,
            leaders_only=criteria.segment.leaders_only,
            people=list(criteria.people),
            **places_of(criteria.segment),
        )


class WaveView(View):
    """A wave, as it was planned and decided on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": WAVE_ID,
                    "program_id": PROGRAM_ID,
                    "version": 3,
                    **_PLAN,
                    "criteria": _CRITERIA,
                    "state": "decided",
                    "started_at": AT,
                    "closed_on": "2026-04-12",
                    **_DECISION,
                    "recorded_by": ID,
                    "decided_at": AT,
                    "updated_at": AT,
                }
            ]
        }
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    name: str
    goal: str
    changes: str
    targets: dict[str, float] = Field(description="By measure: `participation`, `retention`, `enps`")
    starts_on: date
    ends_on: date
    criteria: CriteriaView
    state: Literal["planned", "running", "decided"]
    started_at: datetime | None
    closed_on: date | None = Field(description="The last day of one that was decided on")
    decision: Decision | None
    reasons: str
    decided_by: list[str] = Field(description="Who decided, by id")
    recorded_by: str | None
    decided_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, wave: Wave) -> WaveView:
        names = [name for name in cls.model_fields if name not in ("criteria", "targets", "decided_by")]
        return cls(
            **{name: getattr(wave, name) for name in names},
            criteria=CriteriaView.of(wave.criteria),
            targets=dict(wave.targets),
            decided_by=list(wave.decided_by),
        )


class StandingView(View):
    """A wave, and how it stands today."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "wave": WaveView.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
                    "state": "decided",
                    "members": 24,
                    "left": 1,
                    "matching": None,
                }
            ]
        }
    )

    wave: WaveView
    state: WaveState = Field(description="`ended` is a running one whose last day is over")
    members: int = Field(description="How many entered its cohort")
    left: int = Field(description="How many of these are ambassadors no more")
    matching: int | None = Field(
        description="How many would enter a planned one now (10,000 at most); asked of one alone"
    )

    @classmethod
    def of(cls, found: Standing) -> StandingView:
        return cls(
            wave=WaveView.of(found.wave),
            state=found.state,
            members=found.members,
            left=found.left,
            matching=found.matching,
        )


class WavesView(View):
    """All waves of a programme, the first one first."""

    items: list[StandingView]


class PlaceView(View):
    """The cohort that a person is or was in."""

    program_id: str
    wave_id: str
    entered_at: datetime
    left_at: datetime | None


class PlacesView(View):
    """A person's cohorts, one a programme at most."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [{"program_id": PROGRAM_ID, "wave_id": WAVE_ID, "entered_at": AT, "left_at": None}]}]
        }
    )

    items: list[PlaceView]
