"""How people come into a programme of their own accord: whether they may put themselves forward, what they are asked
then, and why they pause or leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chassis.web.problems import Invalid, Violation
from services.program.domain.programs import Program, check_active, check_languages

MAX_QUESTIONS = 3
MAX_ANSWER = 500
DepartureReason = Literal["no_time", "content", "tool", "recognition", "privacy", "new_job", "other"]
Departure = Literal["pause", "leave"]


@dataclass(frozen=True, slots=True)
class Admission:
    """`nominations`: whether people may put themselves forward. `questions`: what they are asked then, each in every
    language of the programme. `version` is 0 as long as nobody set it."""

    program_id: str
    version: int = 0
    nominations: bool = False
    questions: tuple[Mapping[str, str], ...] = ()
    updated_at: datetime | None = None


def change_admission(
    before: Admission, program: Program, now: datetime, *, nominations: bool, questions: Sequence[Mapping[str, str]]
) -> Admission:
    """The next version; the same object if nothing changes. Raises Conflict `program-archived`, Invalid
    `language-missing` and `language-unknown`."""
    check_active(program)
    for number, texts in enumerate(questions):
        check_languages(texts, program.languages, f"questions.{number}")
    wanted = replace(before, nominations=nominations, questions=tuple(dict(texts) for texts in questions))
    return before if wanted == before else replace(wanted, version=before.version + 1, updated_at=now)


def check_answers(admission: Admission, answers: Sequence[str]) -> tuple[str, ...]:
    """The answers, one for each question; an empty one is none. Raises Invalid `too-many`."""
    most = len(admission.questions)
    if len(answers) > most:
        wrong = Violation("answers", "too-many", f"At most {most} answers.", params={"max": most})
        raise Invalid("There are not as many questions.", errors=[wrong])
    return (*answers, *[""] * (most - len(answers)))


@dataclass(frozen=True, slots=True)
class Departures:
    """How often each reason was given for a pause or for leaving, by `<departure>.<reason>`.

    `waiting` are the latest ones: they are `told` together with others, so that nobody who sees somebody leave can
    read their reason from a number that rose.
    """

    program_id: str
    told: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)


def add_departure(before: Departures, departure: Departure, reason: DepartureReason, least: int) -> Departures:
    """With one more; those that wait are told once they are `least`."""
    waiting = _sum(before.waiting, {f"{departure}.{reason}": 1})
    if sum(waiting.values()) < least:
        return replace(before, waiting=waiting)
    return replace(before, told=_sum(before.told, waiting), waiting={})


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted(one.keys() | other.keys())}
