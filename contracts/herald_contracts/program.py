"""`herald.program`: programmes, objectives, guidelines, lessons, surveys and waves. Owned by program, keyed by
programme."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from herald_contracts.base import Event, Id, Label, Language, Time
from herald_contracts.words import (
    BaselineSource,
    CohortLeaveReason,
    Decision,
    DigestBlock,
    Kpi,
    ObjectiveState,
    Right,
    UseCase,
)


class _ProgramEvent(Event):
    topic: ClassVar[str] = "herald.program"
    source: ClassVar[str] = "/herald/program"
    key: ClassVar[str] = "program_id"
    subject: ClassVar[str] = "program_id"

    program_id: Id
    occurred_at: Time


class ProgramCreated(_ProgramEvent):
    """A programme was created."""

    type: ClassVar[str] = "herald.ProgramCreated.v1"
    name: Label
    time_zone: Label = Field(description="IANA name; days and weeks of the figures are this zone's")
    languages: list[Language] = Field(min_length=1)


class ProgramChanged(_ProgramEvent):
    """What a programme is called or looks like was changed, or who may join it; carries its whole state."""

    type: ClassVar[str] = "herald.ProgramChanged.v1"
    revision: int = Field(ge=1)
    name: Label
    open: bool = Field(description="True if anybody of the company may join without an invitation")
    colour: str | None = Field(default=None, pattern=r"^#[0-9a-f]{6}$", description="sRGB; absent for none of its own")


class ProgramArchived(_ProgramEvent):
    """A programme ended: nothing is shared under it any more, and nobody joins. Its figures stay."""

    type: ClassVar[str] = "herald.ProgramArchived.v1"
    revision: int = Field(ge=1)


class ProgramRestored(_ProgramEvent):
    """That a programme ended was taken back."""

    type: ClassVar[str] = "herald.ProgramRestored.v1"
    revision: int = Field(ge=1)


class ObjectiveSet(_ProgramEvent):
    """An objective was set or changed; carries its whole state."""

    type: ClassVar[str] = "herald.ObjectiveSet.v1"
    objective_id: Id
    revision: int = Field(ge=1)
    use_case: UseCase
    kpi: Kpi
    baseline: float = Field(ge=0)
    target: float = Field(gt=0, description="In the KPI's unit: a count, a rate from 0 to 1, or an amount")
    starts_on: date
    ends_on: date
    title: str | None = Field(default=None, max_length=200, description="What it is called; absent where nobody said")
    owner_id: Id | None = Field(default=None, description="The person who answers for it")
    baseline_source: BaselineSource = Field(default="given", description="Where the baseline comes from")
    items: list[Id] = Field(default=[], description="The content that serves it")
    challenges: list[Id] = Field(default=[], description="The challenges that serve it")
    state: ObjectiveState = Field(default="open")


class ObjectiveReviewed(_ProgramEvent):
    """An objective was looked back at after its end. What was learned is asked of the API: it may name people."""

    type: ClassVar[str] = "herald.ObjectiveReviewed.v1"
    objective_id: Id
    revision: int = Field(ge=1)
    person_id: Id = Field(description="Who reviewed it")


class GuidelinePublished(_ProgramEvent):
    """A version of the guidelines took effect."""

    type: ClassVar[str] = "herald.GuidelinePublished.v1"
    version: int = Field(ge=1)
    material: bool = Field(description="True if ambassadors must acknowledge again before their next share")
    languages: list[Language] = Field(min_length=1)


class GuidelineAcknowledged(_ProgramEvent):
    """An ambassador acknowledged a version of the guidelines."""

    type: ClassVar[str] = "herald.GuidelineAcknowledged.v1"
    person_id: Id
    version: int = Field(ge=1)


class FeedbackSubmitted(_ProgramEvent):
    """An ambassador answered a survey; told when it is closed, dated by its end, and without what was answered."""

    type: ClassVar[str] = "herald.FeedbackSubmitted.v1"
    survey_id: Id
    person_id: Id


class SurveyClosed(_ProgramEvent):
    """A survey takes no more answers. Where fewer answered than make a group, it has no number and no score."""

    type: ClassVar[str] = "herald.SurveyClosed.v1"
    survey_id: Id
    wave_id: Id | None = Field(default=None, description="The wave that was asked alone; without it, all ambassadors")
    opens_on: date
    closes_on: date
    answers: int | None = Field(default=None, ge=1, description="How many answered")
    enps: float | None = Field(
        default=None, ge=-100, le=100, description="Share of promoters less that of detractors, in points"
    )
    promoters: int | None = Field(default=None, ge=0, description="How many would recommend it: 9 or 10 of 10")
    detractors: int | None = Field(default=None, ge=0, description="How many would not: 0 to 6")
    means: list[float] = Field(default=[], description="Of each question, from 1 to 5")


class LessonPublished(_ProgramEvent):
    """An edition of a lesson can be read, or a retired lesson can be read again; carries its whole state."""

    type: ClassVar[str] = "herald.LessonPublished.v1"
    lesson_id: Id
    revision: int = Field(ge=1, description="Rises with each change of the lesson")
    edition: int = Field(ge=1)
    languages: list[Language] = Field(min_length=1)
    required_for: list[Right] = Field(
        default=[], description="What an ambassador of the programme may do only after completing it"
    )


class LessonRetired(_ProgramEvent):
    """A lesson can be read no more, and is required for nothing."""

    type: ClassVar[str] = "herald.LessonRetired.v1"
    lesson_id: Id
    revision: int = Field(ge=1)


class LessonCompleted(_ProgramEvent):
    """An ambassador completed a lesson: once for each, whatever its edition."""

    type: ClassVar[str] = "herald.LessonCompleted.v1"
    person_id: Id
    lesson_id: Id
    edition: int = Field(ge=1)
    paths: list[Id] = Field(
        default=[],
        description="The paths of which they have completed every lesson by now: those that Herald brings by name "
        "(`first-day`, `first-week`, `expert`), others by id",
    )


class DigestPrepared(_ProgramEvent):
    """A newsletter was drafted from what happened in a span of days. Nobody gets it before a manager approved it."""

    type: ClassVar[str] = "herald.DigestPrepared.v1"
    newsletter_id: Id
    period_first: date
    period_last: date
    languages: list[Language] = Field(min_length=1)
    blocks: list[DigestBlock] = Field(min_length=1, description="What its parts tell of, in their order")


class NewsletterSent(_ProgramEvent):
    """A newsletter went out, to everybody or until it was stopped. Who opened it is not known."""

    type: ClassVar[str] = "herald.NewsletterSent.v1"
    newsletter_id: Id
    languages: list[Language] = Field(min_length=1)
    sent: int = Field(ge=0, description="Mails that a mail server took")
    not_sent: int = Field(ge=0, description="Mails that were refused, given up, or not wanted by their readers")
    stopped: bool = Field(default=False, description="True if it was stopped before everybody had it")


class CohortStarted(_ProgramEvent):
    """A wave was started, or the last day of one that runs was moved; who is in its cohort, `CohortJoined` and
    `CohortLeft` say."""

    type: ClassVar[str] = "herald.CohortStarted.v1"
    wave_id: Id
    revision: int = Field(ge=1, description="Rises with each change of the wave")
    starts_on: date
    ends_on: date = Field(description="Last day, included, in the programme's time zone")


class CohortJoined(_ProgramEvent):
    """An ambassador entered the cohort of a wave, or is back in it. Nobody is in two cohorts of a programme."""

    type: ClassVar[str] = "herald.CohortJoined.v1"
    wave_id: Id
    person_id: Id


class CohortLeft(_ProgramEvent):
    """Somebody in a cohort is an ambassador no more: they count in its figures still. By the reason `withdrawn`, the
    start of the wave was taken back: they count in them no more."""

    type: ClassVar[str] = "herald.CohortLeft.v1"
    wave_id: Id
    person_id: Id
    reason: CohortLeaveReason


class WaveDecided(_ProgramEvent):
    """It was decided after a wave whether the programme goes on as it is. The reasons are asked of the API: they may
    name people."""

    type: ClassVar[str] = "herald.WaveDecided.v1"
    wave_id: Id
    revision: int = Field(ge=1)
    decision: Decision
    decided_by: list[Id] = Field(min_length=1, description="Who decided")


class WaveReopened(_ProgramEvent):
    """The decision after a wave was taken back."""

    type: ClassVar[str] = "herald.WaveReopened.v1"
    wave_id: Id
    revision: int = Field(ge=1)
