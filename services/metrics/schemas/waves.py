"""What came of waves."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel, Field

from chassis.proportions import Estimate
from chassis.web.http import example
from services.metrics.cohorts.queries import Comparison, WaveFigures
from services.metrics.domain.cohorts import Feedback, Rate, Status
from services.metrics.schemas.figures import PROGRAM

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
