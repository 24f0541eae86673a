"""Starter templates: one file each. Herald brings those beside this module; a company adds its own in the directory
`HERALD_PROGRAM_TEMPLATES`. All are read and checked when the service starts.

The form of a file is that of `TemplateFile`; `docs/guides/templates.md` explains it by an example.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis.settings import SettingsError
from chassis.text import Prose, Title
from chassis.web.one_of import OneOf
from chassis.web.problems import Invalid
from herald_contracts.words import CATEGORIES, KPIS, NETWORKS, USE_CASES
from services.program.domain import lessons
from services.program.domain.objectives import RATES
from services.program.domain.tasks import MAX_TASKS, TASK_KINDS
from services.program.domain.templates import (
    TARGET,
    WHOLE,
    Template,
    TemplateObjective,
    TemplatePath,
    TemplateRule,
    TemplateTask,
    WrittenFor,
)
from services.program.schemas.fields import Locale
from services.program.schemas.lessons import MAX_IN_PATH, LessonTextBody
from services.program.starters import starter_lessons

OURS: Final = Path(__file__).parent
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")

Key = Annotated[str, Field(pattern=rf"^{_NAME.pattern}$")]
Titles = Annotated[dict[Locale, Annotated[str, Title(120)]], Field(min_length=1, max_length=20)]
Weeks = Annotated[int, Field(ge=1, le=104)]


class TemplateError(SettingsError):
    """Templates cannot be used: a line for each fault, with the file and where in it."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))


class _Part(BaseModel):
    """A part of a file: unknown keys and other types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ScalePart(_Part):
    ambassadors: int = Field(ge=1, le=1_000_000)
    headcount_share: float = Field(0.1, gt=0, le=1)


class ObjectivePart(_Part):
    key: Key
    titles: Titles
    use_case: Annotated[str, OneOf(USE_CASES)]
    kpi: Annotated[str, OneOf(KPIS)]
    target: float = Field(gt=0, le=1e12)
    baseline: float = Field(0.0, ge=0, le=1e12)
    weeks: Weeks


class LessonPart(_Part):
    name: Key
    texts: dict[Locale, LessonTextBody] = Field(min_length=1, max_length=20)


class PathPart(_Part):
    name: Key
    titles: Titles
    lessons: list[Key] = Field(min_length=1, max_length=MAX_IN_PATH)


class RulePart(_Part):
    id: Key
    act: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    points: int = Field(ge=1, le=1_000)
    networks: list[Annotated[str, OneOf(NETWORKS)]] = Field([], max_length=len(NETWORKS))
    acts_a_day: int | None = Field(None, ge=1, le=100_000)
    points_a_day: int | None = Field(None, ge=1, le=1_000_000)


class TaskPart(_Part):
    key: Key
    titles: Titles
    kind: Annotated[str, OneOf(TASK_KINDS)]
    week: Weeks
    weekday: Annotated[str, OneOf(WEEKDAYS)] = "monday"
    every_weeks: int = Field(0, ge=0, le=52)
    times: int = Field(1, ge=1, le=104)


class TemplateFile(_Part):
    """A file as it is written."""

    titles: Titles
    leads: dict[Locale, Annotated[str, Prose(500)]] = Field(min_length=1, max_length=20)
    scale: ScalePart | None = None
    mix: dict[Annotated[str, OneOf(CATEGORIES)], Annotated[int, Field(ge=1, le=WHOLE)]] = {}
    objectives: list[ObjectivePart] = Field([], max_length=20)
    lessons: list[LessonPart] = Field([], max_length=30)
    paths: list[PathPart] = Field([], max_length=10)
    rules: list[RulePart] = Field([], max_length=50)
    tasks: list[TaskPart] = Field([], max_length=100)


def load_templates(directory: Path | None = None) -> tuple[Template, ...]:
    """The templates that Herald brings, and those of a directory. Raises TemplateError, with every fault that is
    found."""
    found: dict[str, Template] = {}
    faults = []
    files = [*sorted(OURS.glob("*.toml")), *_files_of(directory)]
    for file in files:
        try:
            if not _NAME.fullmatch(file.stem):
                raise TemplateError(f"{file.name}: a name has small letters, digits and dashes, 40 at most")
            if file.stem in found:
                raise TemplateError(f"{file.name}: there is a template {file.stem} already")
            found[file.stem] = read_template(file.stem, file.read_text("utf-8"))
        except TemplateError as error:
            faults.append(str(error))
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{file.name}: it cannot be read: {type(error).__name__}")
    if faults:
        raise TemplateError(*faults)
    return tuple(found.values())


def _files_of(directory: Path | None) -> list[Path]:
    if directory is None:
        return []
    if not directory.is_dir():
        raise TemplateError(f"{directory}: there is no such directory")
    return sorted(directory.glob("*.toml"))


def read_template(name: str, text: str) -> Template:
    """A template from the text of its file. Raises TemplateError."""
    file = f"{name}.toml"
    try:
        written = TemplateFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{file}: this is not TOML: {error}") from None
    except ValidationError as error:
        raise TemplateError(*(f"{file}: {_fault(one)}" for one in error.errors())) from None
    if faults := [f"{file}: {fault}" for fault in _faults(written)]:
        raise TemplateError(*faults)
    return Template(
        name=name,
        titles=written.titles,
        leads=written.leads,
        written_for=WrittenFor(**dict(written.scale)) if written.scale else None,
        mix=written.mix,
        objectives=tuple(TemplateObjective(**dict(one)) for one in written.objectives),
        lessons=tuple(lessons.Starter(one.name, _texts(one)) for one in written.lessons),
        paths=tuple(TemplatePath(one.name, one.titles, tuple(one.lessons)) for one in written.paths),
        rules=tuple(TemplateRule(**{**dict(one), "networks": tuple(one.networks)}) for one in written.rules),
        tasks=tuple(TemplateTask(**{**dict(one), "weekday": WEEKDAYS.index(one.weekday)}) for one in written.tasks),
    )


def _texts(lesson: LessonPart) -> dict[str, lessons.LessonText]:
    return {language: one.lesson_text for language, one in lesson.texts.items()}


def _fault(error: Any) -> str:
    where = ".".join(str(one) for one in error["loc"])
    return f"{where}: {'there is no such key' if error['type'] == 'extra_forbidden' else error['msg']}"


def _faults(written: TemplateFile) -> Iterator[str]:
    """What is wrong although each part is well made."""
    if written.mix and (total := sum(written.mix.values())) != WHOLE:
        yield f"mix: the shares add up to {total} instead of {WHOLE}"
    brought = [one.name for one in starter_lessons()]
    named: dict[str, list[str]] = {
        "objectives": [one.key for one in written.objectives],
        "lessons": [*brought, *(one.name for one in written.lessons)],
        "paths": [one.name for one in written.paths],
        "rules": [one.id for one in written.rules],
        "tasks": [one.key for one in written.tasks],
    }
    for part, names in named.items():
        yield from (f"{part}: {name} is there twice" for name in sorted({one for one in names if names.count(one) > 1}))
    yield from _faults_of_objectives(written)
    yield from _faults_of_lessons(written, named["lessons"])
    yield from _faults_of_tasks(written)


def _faults_of_objectives(written: TemplateFile) -> Iterator[str]:
    for number, objective in enumerate(written.objectives):
        if objective.target <= objective.baseline:
            yield f"objectives.{number}.target: the target has to lie above the baseline"
        if objective.kpi in RATES and objective.target > 1:
            yield f"objectives.{number}.target: a rate is at most 1 (everybody)"
        for language, title in objective.titles.items():
            if set(_PLACEHOLDER.findall(title)) - {TARGET}:
                yield f"objectives.{number}.titles.{language}: {TARGET} is all that is filled in"


def _faults_of_lessons(written: TemplateFile, brought: list[str]) -> Iterator[str]:
    known = set(brought)
    for number, lesson in enumerate(written.lessons):
        try:
            lessons.check_edition(lessons.Edition(_texts(lesson)), tuple(lesson.texts))
        except Invalid as error:
            yield from (f"lessons.{number}.{one.field}: {one.detail}" for one in error.errors)
    for number, path in enumerate(written.paths):
        yield from (f"paths.{number}.lessons: there is no lesson {one}" for one in path.lessons if one not in known)
        twice = sorted({one for one in path.lessons if path.lessons.count(one) > 1})
        yield from (f"paths.{number}.lessons: {one} is there twice" for one in twice)


def _faults_of_tasks(written: TemplateFile) -> Iterator[str]:
    if sum(one.times for one in written.tasks) > MAX_TASKS // 2:
        yield f"tasks: at most {MAX_TASKS // 2} in all"
    for number, task in enumerate(written.tasks):
        if (task.times > 1) != (task.every_weeks > 0):
            yield f"tasks.{number}: what comes several times needs both `times` and `every_weeks`"
