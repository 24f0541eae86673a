"""Pulse surveys: short, anonymous, the same few questions again and again.

A survey is a `draft` until a manager opens it, `open` until its last day is over or a manager closes it, and then
`closed` for good. What was opened can be taken back: it is a draft again, and what was answered is gone.

Nothing here ties an answer to a person: no answer is kept as such, only how often each score was given and, apart from
that, what was written (ADR 0014).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.programs import Program, check_languages, today
from services.program.domain.waves import Member

SurveyState = Literal["draft", "open", "closed"]
MAX_QUESTIONS = 3
MAX_DRAFTS = 20
ENPS = range(11)
SCALE = range(1, 6)
NEAR_DAYS = 90
"""So many days after a survey of the programme or of a wave, somebody might still say the same in another."""
PROMOTER, DETRACTOR = 9, 6
"""The lowest score of a promoter and the highest of a detractor."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey. `enps` asks for a recommendation from 0 to 10; each of `questions` has a text for each language and
    asks for agreement from 1 to 5; `prompt` asks for a free text, and is empty where none is wanted. Both days are
    included, in the programme's time zone. Where it has a `wave_id`, it asks those alone who are in that wave's
    cohort."""

    id: str
    program_id: str
    version: int
    title: str
    opens_on: date
    closes_on: date
    enps: bool
    questions: tuple[Mapping[str, str], ...]
    prompt: Mapping[str, str]
    updated_at: datetime
    state: SurveyState = "draft"
    wave_id: str | None = None


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many ambassadors a survey asks; and how many are left `over` by the waves that were asked, where those waves
    and the whole programme are: what they said is the difference. 0 where there is nothing to subtract."""

    asked: int
    over: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says: `scores` are in the order of the questions."""

    enps: int | None
    scores: tuple[int, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each score was given; that of the eNPS by its number, those of the questions one after the other."""

    answers: int = 0
    enps: Mapping[str, int] = field(default_factory=dict)
    scores: tuple[Mapping[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """Of one question: how many gave each score of its scale, the lowest first, and their mean."""

    mean: float
    distribution: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """What managers see of a closed survey. Where fewer answered than make a group, all that is there is that it was
    so: two such results are equal, whoever answered."""

    shown: bool
    answers: int | None = None
    enps: float | None = None
    recommendation: Scored | None = None
    questions: tuple[Scored, ...] = ()

    @property
    def promoters(self) -> int | None:
        return sum(self.recommendation.distribution[PROMOTER:]) if self.recommendation else None

    @property
    def detractors(self) -> int | None:
        return sum(self.recommendation.distribution[: DETRACTOR + 1]) if self.recommendation else None


HIDDEN = Results(shown=False)


def new_survey(id: str, program: Program, now: datetime, **values: Any) -> Survey:
    """A draft. Raises Invalid: `closes_on` `before-start`, `questions` `required` where nothing is asked,
    `language-missing` or `language-unknown`."""
    survey = Survey(id=id, program_id=program.id, version=1, updated_at=now, **values)
    _check(survey, program)
    return survey


def change_survey(before: Survey, program: Program, now: datetime, **values: Any) -> Survey:
    """The draft with these values; the same object if nothing changes. Raises Conflict `survey-not-a-draft`, and
    Invalid as `new_survey` does."""
    check_draft(before)
    wanted = replace(before, **values)
    _check(wanted, program)
    return before if wanted == before else _next(wanted, now)


def open_survey(before: Survey, program: Program, crowd: Crowd, small_group: int, now: datetime) -> Survey:
    """The survey, which those whom it asks may answer from its first day on; repeating changes nothing.

    Raises Conflict: `survey-closed`; `too-few-ambassadors` (with `min`) where a result could never be shown;
    `too-few-besides` (with `min`) where those of so few could be worked out of two. Raises Invalid `closes_on` `past`.
    """
    if before.state == "open":
        return before
    _check_not_closed(before)
    if before.closes_on < today(program, now):
        raise Invalid.one("closes_on", "past", "The last day is over.")
    check_crowd(crowd, small_group)
    return _next(replace(before, state="open"), now)


def withdraw_survey(before: Survey, now: datetime) -> Survey:
    """The survey as a draft again; repeating changes nothing. Raises Conflict `survey-closed`."""
    _check_not_closed(before)
    return before if before.state == "draft" else _next(replace(before, state="draft"), now)


def close_survey(before: Survey, now: datetime) -> Survey:
    """The survey, which nobody can answer any more; repeating changes nothing. Raises Conflict `survey-not-open` for a
    draft."""
    if before.state == "draft":
        raise Conflict("This survey was not opened.", type_="survey-not-open")
    return before if before.state == "closed" else _next(replace(before, state="closed"), now)


def is_running(survey: Survey, day: date) -> bool:
    return survey.state == "open" and survey.opens_on <= day <= survey.closes_on


def check_answer(survey: Survey, answer: Answer, member: Member | None, day: date) -> None:
    """Raises Conflict: `survey-not-open`, `not-in-wave`; Invalid: `missing` for what was asked, `not-asked` for what
    was not. `member` is the ambassador's place in a cohort, if any."""
    if not is_running(survey, day):
        raise Conflict("This survey takes no answers.", type_="survey-not-open")
    if not asks(survey, member):
        raise Conflict("This survey asks the ambassadors of one wave.", type_="not-in-wave")
    errors = []
    if survey.enps != (answer.enps is not None):
        errors.append(_missing("enps") if survey.enps else _not_asked("enps"))
    asked, given = len(survey.questions), len(answer.scores)
    errors += [_missing(f"scores.{index}") for index in range(given, asked)]
    errors += [_not_asked(f"scores.{index}") for index in range(asked, given)]
    if answer.text and not survey.prompt:
        errors.append(_not_asked("text"))
    if errors:
        raise Invalid("The answer does not fit the survey.", errors=errors)


def check_crowd(crowd: Crowd, small_group: int) -> None:
    """Raises Conflict: `too-few-ambassadors` or `too-few-besides`: among so few, nothing is anonymous."""
    if crowd.asked < small_group:
        raise Conflict(
            f"It would ask fewer than {small_group} ambassadors: nothing would be anonymous.",
            type_="too-few-ambassadors",
            min=small_group,
        )
    if 0 < crowd.over < small_group:
        raise Conflict(
            f"The waves that are asked leave fewer than {small_group} ambassadors of the programme over: what these "
            "say could be worked out.",
            type_="too-few-besides",
            min=small_group,
        )


def subtracted(survey: Survey, near: Iterable[Survey]) -> frozenset[str]:
    """The waves whose results can be taken from those of the whole programme, once this survey has some too; `near` are
    those that have. None where it is only waves that are asked, or only the programme."""
    groups = {survey.wave_id, *(one.wave_id for one in near)}
    return frozenset(one for one in groups if one is not None) if None in groups else frozenset()


def asks(survey: Survey, member: Member | None) -> bool:
    """Whether an ambassador of the programme is asked; `member` is their place in a cohort of it, if any."""
    if survey.wave_id is None:
        return True
    return member is not None and member.wave_id == survey.wave_id and member.left_at is None


def check_draft(survey: Survey) -> None:
    """Raises Conflict `survey-not-a-draft`."""
    if survey.state != "draft":
        raise Conflict("Only a draft can be changed: people may have answered.", type_="survey-not-a-draft")


def results(survey: Survey, tally: Tally, small_group: int) -> Results:
    """What may be seen. Raises Conflict `survey-not-closed`: nobody watches answers come in one by one."""
    if survey.state != "closed":
        raise Conflict("The results are shown when the survey is closed.", type_="survey-not-closed")
    if tally.answers < small_group:
        return HIDDEN
    return Results(
        shown=True,
        answers=tally.answers,
        enps=enps(tally.enps) if survey.enps else None,
        recommendation=scored(tally.enps, ENPS) if survey.enps else None,
        questions=tuple(scored(one, SCALE) for one in tally.scores),
    )


def enps(counts: Mapping[str, int]) -> float:
    """The share of promoters (9 and 10) less that of detractors (0 to 6), in points from -100 to 100, to one decimal.

    Source: F. Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003; asked of
    ambassadors about their programme. Raises ValueError where nobody answered.
    """
    total = sum(counts.values())
    if not total:
        raise ValueError("nobody answered")
    promoters = sum(count for score, count in counts.items() if int(score) >= PROMOTER)
    detractors = sum(count for score, count in counts.items() if int(score) <= DETRACTOR)
    return round(100 * (promoters - detractors) / total, 1)


def scored(counts: Mapping[str, int], scale: Sequence[int]) -> Scored:
    """Mean and distribution over the scale. Raises ValueError where nobody answered."""
    distribution = tuple(counts.get(str(score), 0) for score in scale)
    total = sum(distribution)
    if not total:
        raise ValueError("nobody answered")
    mean = sum(score * count for score, count in zip(scale, distribution, strict=True)) / total
    return Scored(round(mean, 2), distribution)


def _check_not_closed(survey: Survey) -> None:
    if survey.state == "closed":
        raise Conflict("This survey is closed.", type_="survey-closed")


def _next(survey: Survey, now: datetime) -> Survey:
    return replace(survey, version=survey.version + 1, updated_at=now)


def _missing(field: str) -> Violation:
    return Violation(field, "missing", "This question needs an answer.")


def _not_asked(field: str) -> Violation:
    return Violation(field, "not-asked", "The survey does not ask this.")


def _check(survey: Survey, program: Program) -> None:
    errors = []
    if survey.closes_on < survey.opens_on:
        errors.append(Violation("closes_on", "before-start", "It closes before it opens."))
    if not (survey.enps or survey.questions):
        errors.append(Violation("questions", "required", "A survey asks for at least one score."))
    if errors:
        raise Invalid("The survey cannot be kept.", errors=errors)
    for index, texts in enumerate(survey.questions):
        check_languages(texts, program.languages, f"questions.{index}")
    if survey.prompt:
        check_languages(survey.prompt, program.languages, "prompt")
