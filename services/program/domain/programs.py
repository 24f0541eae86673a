"""Programmes, their texts in versions and languages, and their objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from chassis.web.problems import Invalid, Violation
from herald_contracts.words import Kpi, UseCase

TextKind = Literal["consent", "guidelines"]


@dataclass(frozen=True, slots=True)
class Program:
    """A programme. `material_version` is the latest version of the guidelines that must be acknowledged, 0
    for none; `open` lets anybody of the company join without an invitation."""

    id: str
    version: int
    name: str
    time_zone: str
    languages: tuple[str, ...]
    open: bool
    consent_version: int
    guidelines_version: int
    material_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """One version of a programme's consent or guidelines, in each of its languages."""

    program_id: str
    kind: TextKind
    version: int
    texts: Mapping[str, str]
    material: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Objective:
    """What a programme wants to reach. `target` and `baseline` are in the KPI's unit: a count, a rate from 0 to
    1, or an amount; the period includes both days."""

    id: str
    program_id: str
    version: int
    use_case: UseCase
    kpi: Kpi
    baseline: float
    target: float
    starts_on: date
    ends_on: date
    updated_at: datetime


def publish_text(
    program: Program, kind: TextKind, texts: Mapping[str, str], *, material: bool, now: datetime
) -> tuple[Program, Text]:
    """The next version of a text, and the programme that knows it. The first guidelines are always material.

    Raises Invalid `language-missing` or `language-unknown` unless there is one text for each language of the
    programme.
    """
    check_languages(texts, program.languages)
    if kind == "consent":
        version = program.consent_version + 1
        changed = replace(program, consent_version=version)
    else:
        version = program.guidelines_version + 1
        material = material or version == 1
        changed = replace(
            program,
            guidelines_version=version,
            material_version=version if material else program.material_version,
        )
    return (
        replace(changed, version=program.version + 1, updated_at=now),
        Text(program.id, kind, version, dict(texts), material, now),
    )


def check_languages(texts: Mapping[str, object], languages: Sequence[str], field: str = "texts") -> None:
    """Raises Invalid unless there is exactly one text for each of the languages."""
    missing = [
        Violation(
            f"{field}.{language}", "language-missing", f"A text in {language} is needed.", params={"language": language}
        )
        for language in languages
        if language not in texts
    ]
    unknown = [
        Violation(f"{field}.{language}", "language-unknown", "The programme does not have this language.")
        for language in texts
        if language not in languages
    ]
    if missing or unknown:
        raise Invalid("A text is needed in each language of the programme.", errors=[*missing, *unknown])


def choose_language(texts: Mapping[str, object], wanted: str | None, languages: Sequence[str]) -> str:
    """The language of a text for a reader: theirs, else its base (`fr` for `fr-CA`), else a regional form of it, else
    the programme's first."""
    if wanted in texts:
        return str(wanted)
    base = (wanted or "").partition("-")[0]
    near = [language for language in languages if language.partition("-")[0] == base and language in texts]
    return base if base in texts else (near or list(languages))[0]


def set_objective(before: Objective | None, id: str, program_id: str, now: datetime, **values: Any) -> Objective:
    """The objective with these values and the next version; the same object if nothing changes.

    Raises Invalid: `ends_on` `before-start`, `target` `above-one` (a rate) or `not-above-baseline`.
    """
    wanted = (
        replace(before, **values)
        if before
        else Objective(id=id, program_id=program_id, version=0, updated_at=now, **values)
    )
    _check(wanted)
    return before if wanted == before else replace(wanted, version=wanted.version + 1, updated_at=now)


def _check(objective: Objective) -> None:
    errors = []
    if objective.ends_on < objective.starts_on:
        errors.append(Violation("ends_on", "before-start", "The period ends before it starts."))
    if objective.kpi == "participation_rate" and objective.target > 1:
        errors.append(Violation("target", "above-one", "A participation rate is at most 1 (everybody)."))
    if objective.target <= objective.baseline:
        errors.append(Violation("target", "not-above-baseline", "The target has to lie above the baseline."))
    if errors:
        raise Invalid("The objective cannot be set.", errors=errors)
