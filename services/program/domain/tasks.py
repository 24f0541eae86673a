"""What the programme's team has to do: tasks with a day, and somebody who does them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from chassis.web.problems import Invalid
from services.program.domain.people import Person

TaskState = Literal["open", "done"]
TASK_KINDS: Final = ("content", "lesson", "challenge", "recognition", "newsletter", "survey", "wave", "event", "other")
MAX_TASKS: Final = 500
"""Of one programme, done ones included."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do until a day, in the programme's time zone. `template` names the starter template that set it."""

    id: str
    program_id: str
    version: int
    title: str
    kind: str
    due_on: date
    created_at: datetime
    updated_at: datetime
    owner_id: str | None = None
    notes: str = ""
    state: TaskState = "open"
    done_by: str | None = None
    done_at: datetime | None = None
    template: str | None = None


def change_task(before: Task, now: datetime, **values: Any) -> Task:
    """The task with these values and the next version; the same object if nothing changes."""
    wanted = replace(before, **values)
    return before if wanted == before else replace(wanted, version=before.version + 1, updated_at=now)


def finish_task(before: Task, person_id: str, now: datetime) -> Task:
    """The task, done; repeating changes nothing."""
    if before.state == "done":
        return before
    return change_task(before, now, state="done", done_by=person_id, done_at=now)


def reopen_task(before: Task, now: datetime) -> Task:
    """The task, to be done again; repeating changes nothing."""
    return before if before.state == "open" else change_task(before, now, state="open", done_by=None, done_at=None)


def on_team(person: Person | None, program_id: str) -> bool:
    """Whether they run the programme with others: an editor or manager of it, or of all."""
    if person is None or not person.active:
        return False
    grants = {*person.grants, *(one.role for one in person.program_grants if one.program_id == program_id)}
    return bool(grants & {"editor", "manager"})


def check_owner(person: Person | None, program_id: str) -> None:
    """Raises Invalid `owner_id` `not-on-team`."""
    if not on_team(person, program_id):
        raise Invalid.one("owner_id", "not-on-team", "Only editors and managers of the programme have its tasks.")
