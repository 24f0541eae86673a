"""Starter templates: what a programme begins with, and what of it a programme has already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from herald_contracts.words import Kpi, UseCase
from services.program.domain.lessons import Starter

Texts = Mapping[str, str]
"""A text by language."""
Part = Literal["objective", "mix", "lesson", "path", "task"]
Outcome = Literal["set", "left", "untranslated"]
WHOLE: Final = 100
"""Percent: what the shares of a mix add up to."""


@dataclass(frozen=True, slots=True)
class TemplateObjective:
    """An objective; its period begins on the day on which the template is applied."""

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
class Template:
    """What a programme of one kind begins with; `mix` has percent of the content by category."""

    name: str
    titles: Texts
    leads: Texts
    mix: Mapping[str, int]
    objectives: tuple[TemplateObjective, ...] = ()
    lessons: tuple[Starter, ...] = ()
    paths: tuple[TemplatePath, ...] = ()
    rules: tuple[TemplateRule, ...] = ()
    tasks: tuple[TemplateTask, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a template: whether it is `set`, was `left` because the programme has it, or is `untranslated`: in
    none of its languages. `count` of what comes several times, `day` of the first of them."""

    part: Part
    title: str
    outcome: Outcome
    count: int = 1
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a template set, or would set, piece by piece."""

    template: Template
    pieces: tuple[Piece, ...]


def text_in(texts: Texts, language: str) -> str:
    """In that language, else in its base (`fr` for `fr-CA`), else in English, else in any."""
    for wanted in (language, language.partition("-")[0], "en"):
        if wanted in texts:
            return texts[wanted]
    return next(iter(texts.values()))
