"""Programmes, and their texts in versions and languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.guidelines import Rules, guideline_faults
from services.program.domain.looks import check_colour, text_colour
from services.program.domain.quizzes import Question

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
    colour: str | None = None
    """`#rrggbb`; None for none of its own."""
    picture_id: str | None = None
    posts_hoped: int | None = None
    """How many posts a month the programme hopes for from each leader; None where it does not say."""
    archived_at: datetime | None = None
    """Since when it is over; None while it runs."""

    @property
    def text_colour(self) -> str | None:
        """Of text on its colour."""
        return text_colour(self.colour) if self.colour else None


@dataclass(frozen=True, slots=True)
class Text:
    """One version of a programme's consent or guidelines, in each of its languages. Guidelines may have `rules`, and a
    `quiz` to pass before they are acknowledged."""

    program_id: str
    kind: TextKind
    version: int
    texts: Mapping[str, str]
    material: bool
    published_at: datetime
    rules: Mapping[str, Rules] = field(default_factory=dict)
    quiz: Mapping[str, tuple[Question, ...]] = field(default_factory=dict)


def check_active(program: Program) -> Program:
    """The programme itself. Raises Conflict `program-archived` where it is over."""
    if program.archived_at is not None:
        raise Conflict("This programme is over.", type_="program-archived")
    return program


def change_program(before: Program, now: datetime, **values: Any) -> Program:
    """The programme with another `name`, `colour`, `picture_id`, `open` or `posts_hoped`; the same object if nothing
    changes. Raises Conflict `program-archived`, Invalid `contrast`."""
    wanted = replace(check_active(before), **values)
    if wanted.colour and wanted.colour != before.colour:
        check_colour(wanted.colour)
    return before if wanted == before else _next(wanted, now)


def archive_program(before: Program, now: datetime) -> Program:
    """The programme, over; repeating changes nothing."""
    return before if before.archived_at else _next(replace(before, archived_at=now), now)


def restore_program(before: Program, now: datetime) -> Program:
    """The programme, running again; repeating changes nothing."""
    return _next(replace(before, archived_at=None), now) if before.archived_at else before


def _next(program: Program, now: datetime) -> Program:
    return replace(program, version=program.version + 1, updated_at=now)


def publish_text(
    program: Program,
    kind: TextKind,
    texts: Mapping[str, str],
    *,
    material: bool,
    now: datetime,
    rules: Mapping[str, Rules] | None = None,
    quiz: Mapping[str, tuple[Question, ...]] | None = None,
) -> tuple[Program, Text]:
    """The next version of a text, and the programme that knows it. The first guidelines are always material.

    Raises Invalid `language-missing` or `language-unknown` unless there is one text for each language of the
    programme, and rules and a quiz for each or for none; Invalid as `guideline_faults` says; Conflict
    `program-archived`.
    """
    check_active(program)
    check_languages(texts, program.languages)
    rules, quiz = rules or {}, quiz or {}
    for written, at in ((rules, "rules"), (quiz, "quiz")):
        if written:
            check_languages(written, program.languages, at)
    if wrong := list(guideline_faults(texts, rules, quiz)):
        raise Invalid("The text cannot be taken.", errors=wrong)
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
        _next(changed, now),
        Text(program.id, kind, version, dict(texts), material, now, rules, quiz),
    )


def today(program: Program, now: datetime) -> date:
    """The date in the programme's time zone."""
    return now.astimezone(ZoneInfo(program.time_zone)).date()


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
