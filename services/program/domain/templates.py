"""Starter templates: what a programme begins with, what of it a programme has already, and what is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import floor, log10
from typing import Final, Literal

from babel import Locale
from babel.numbers import format_decimal, format_percent

from herald_contracts.words import Kpi, UseCase
from services.program.domain.lessons import Lesson, Path, Starter
from services.program.domain.mixes import Mix
from services.program.domain.objectives import RATES, Objective
from services.program.domain.tasks import Task

Texts = Mapping[str, str]
"""A text by language."""
Part = Literal["objective", "mix", "lesson", "path", "task"]
Outcome = Literal["set", "left", "untranslated", "withdrawn", "changed", "used"]
Expected = Literal["given", "headcount", "taking_part", "least"]
"""Where the number of ambassadors comes from that a programme expects."""
WHOLE: Final = 100
"""Percent: what the shares of a mix add up to."""
TARGET: Final = "{target}"
"""In the title of an objective: its target, as the language writes it."""
LEAST_EXPECTED: Final = 10
"""Ambassadors; fewer are no pilot."""


@dataclass(frozen=True, slots=True)
class TemplateObjective:
    """An objective; its period begins on the day on which the template is applied. `titles` may hold `TARGET`."""

    key: str
    titles: Texts
    use_case: UseCase
    kpi: Kpi
    target: float
    weeks: int
    baseline: float = 0.0


@dataclass(frozen=True, slots=True)
class TemplatePath:
    """A path; `lessons` names lessons of this template, and those that Herald brings."""

    name: str
    titles: Texts
    lessons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """A rule of points, as `gamification` takes it."""

    id: str
    act: str
    points: int
    networks: tuple[str, ...] = ()
    acts_a_day: int | None = None
    points_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class TemplateTask:
    """An entry of the calendar: on a `weekday` (0 is Monday) of a `week`, the first full one being 1, and again after
    each `every_weeks` (0: never) up to `times` in all."""

    key: str
    titles: Texts
    kind: str
    week: int
    weekday: int
    every_weeks: int = 0
    times: int = 1

    def days(self, start: date) -> list[date]:
        """When it is due, counted from a day: the first full week is the one that begins on or after it."""
        monday = start + timedelta(days=-start.weekday() % 7)
        first = monday + timedelta(weeks=self.week - 1, days=self.weekday)
        return [first + timedelta(weeks=self.every_weeks * number) for number in range(self.times)]


@dataclass(frozen=True, slots=True)
class WrittenFor:
    """For how many ambassadors a template's targets are written, and which share of all people one may expect to take
    part where nobody says (0 to 1)."""

    ambassadors: int
    headcount_share: float


@dataclass(frozen=True, slots=True)
class Template:
    """What a programme of one kind begins with; `mix` has percent of the content by category. Without `written_for` its
    targets are the same for all companies."""

    name: str
    titles: Texts
    leads: Texts
    mix: Mapping[str, int]
    objectives: tuple[TemplateObjective, ...] = ()
    lessons: tuple[Starter, ...] = ()
    paths: tuple[TemplatePath, ...] = ()
    rules: tuple[TemplateRule, ...] = ()
    tasks: tuple[TemplateTask, ...] = ()
    written_for: WrittenFor | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """For how many ambassadors targets are set: what was written for `written_for` is multiplied accordingly.
    `headcount` and `taking_part` are how many people are with the company, and in the programme."""

    ambassadors: int
    written_for: int
    expected: Expected
    headcount: int
    taking_part: int

    def scaled(self, target: float) -> float:
        """A target of so many ambassadors, with two figures that say something; at least 1."""
        if self.ambassadors == self.written_for or target == 0:
            return target
        exact = target * self.ambassadors / self.written_for
        step = 10.0 ** max(0, floor(log10(exact)) - 1) if exact > 1 else 1.0
        return max(1.0, floor(exact / step + 0.5) * step)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a template: whether it is `set`, was `left` because the programme has it, or is `untranslated`: in
    none of its languages; of one that is taken back, whether it is `withdrawn`, or stays because somebody `changed` or
    `used` it. `count` of what comes several times, `day` of the first of them; of an objective its `target`, and the
    one that is `written` in the template."""

    part: Part
    title: str
    outcome: Outcome
    count: int = 1
    day: date | None = None
    target: float | None = None
    written: float | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a template set, or would set, piece by piece; `scale` is None where its targets are the same for all."""

    template: Template
    pieces: tuple[Piece, ...]
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a template set in a programme and nobody took back: ids, and the version of the mix (0: none).

    `rounds` counts how often it was taken back: objectives that are set afterwards are others."""

    id: str
    program_id: str
    template: str
    version: int
    rounds: int = 0
    applied_at: datetime | None = None
    objectives: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    mix_version: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of what a template set. `completed` are lessons that somebody completed, `placed` those that are in
    a path that the template did not set."""

    objectives: Sequence[Objective] = ()
    lessons: Sequence[Lesson] = ()
    paths: Sequence[Path] = ()
    tasks: Sequence[Task] = ()
    mix: Mix | None = None
    completed: frozenset[str] = field(default_factory=frozenset)
    placed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What of a template was taken back, or would be, and what stays; nothing where it is not applied."""

    template: Template
    applied_at: datetime | None
    pieces: tuple[Piece, ...]


def expect(template: Template, headcount: int, taking_part: int, given: int | None) -> Scale | None:
    """For how many ambassadors targets are set: those that somebody expects, or else the most of those who take part,
    the template's share of the headcount, and `LEAST_EXPECTED`. None for a template that is not scaled."""
    if template.written_for is None:
        return None
    known: dict[Expected, int] = {
        "headcount": floor(headcount * template.written_for.headcount_share + 0.5),
        "taking_part": taking_part,
        "least": LEAST_EXPECTED,
    }
    expected: Expected = "given" if given is not None else max(known, key=lambda one: known[one])
    ambassadors = given if given is not None else known[expected]
    return Scale(ambassadors, template.written_for.ambassadors, expected, headcount, taking_part)


def targets(objective: TemplateObjective, scale: Scale | None) -> tuple[float, float]:
    """The baseline and the target; a rate is the same for all companies."""
    if scale is None or objective.kpi in RATES:
        return objective.baseline, objective.target
    baseline = scale.scaled(objective.baseline)
    return baseline, max(scale.scaled(objective.target), baseline + 1)


def title_of(objective: TemplateObjective, target: float, language: str) -> str:
    """Its title, with the target as that language writes it."""
    code = language_in(objective.titles, language)
    locale = Locale.parse(code, sep="-")
    written = format_percent(target, locale=locale) if objective.kpi in RATES else format_decimal(target, locale=locale)
    return objective.titles[code].replace(TARGET, str(written))


def add(standing: Standing, now: datetime, **ids: Sequence[str]) -> Standing:
    """With what was set just now."""
    kept: dict[str, tuple[str, ...]] = {name: (*getattr(standing, name), *some) for name, some in ids.items()}
    return replace(standing, version=standing.version + 1, applied_at=standing.applied_at or now, **kept)  # type: ignore[arg-type]


def end(standing: Standing) -> Standing:
    """Nothing of it stands any more as the template's; the same object where nothing did."""
    if standing.applied_at is None:
        return standing
    return Standing(
        standing.id, standing.program_id, standing.template, standing.version + 1, rounds=standing.rounds + 1
    )


def stays(found: Found, one: Objective | Lesson | Path | Task | Mix, standing: Standing, today: date) -> Outcome | None:
    """Why something stays: somebody `changed` it, or `used` it since; None where it can be taken back.

    An objective is used once its period is over, a task once it is done, a lesson once somebody completed it or a path
    that stays holds it, a path once somebody completed a lesson of it.
    """
    if isinstance(one, Mix):
        return None if one.version == standing.mix_version else "changed"
    if isinstance(one, Objective):
        used = one.ends_on < today
    elif isinstance(one, Task):
        used = one.state == "done"
    elif isinstance(one, Path):
        used = bool(found.completed.intersection(one.lesson_ids))
    else:
        kept = {id for path in found.paths if stays(found, path, standing, today) for id in path.lesson_ids}
        used = one.id in found.completed | found.placed | kept
    if used:
        return "used"
    return "changed" if one.version > 1 else None


def text_in(texts: Texts, language: str) -> str:
    """In that language, else in its base (`fr` for `fr-CA`), else in English, else in any."""
    return texts[language_in(texts, language)]


def language_in(texts: Texts, language: str) -> str:
    """The language in which `text_in` finds a text."""
    wanted = (language, language.partition("-")[0], "en")
    return next((one for one in wanted if one in texts), next(iter(texts)))
