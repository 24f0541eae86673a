"""Tasks of a programme's team, and the content mix that it wants."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Prose, Title
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from herald_contracts.words import CATEGORIES
from services.program.domain.mixes import WHOLE, Mix
from services.program.domain.tasks import TASK_KINDS, TaskState
from services.program.queries.tasks import Found
from services.program.schemas.fields import AT, ID, PROGRAM_ID, View

TASK_ID = "019c9a22-7d10-7b31-a7c2-5a0d4f1e9b02"
_TASK: Any = {
    "title": "Editorial meeting: five items for the week",
    "kind": "content",
    "due_on": "2026-03-10",
    "owner_id": ID,
    "notes": "Bring the photos of the trade fair.",
}


class TaskBody(Body):
    """Something to do until a day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_TASK, "owner_id": None}]})

    title: Annotated[str, Title(200)]
    kind: Annotated[str, OneOf(TASK_KINDS)] = "other"
    due_on: Day = Field(description="In the programme's time zone")
    owner_id: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="Who does it: an editor or manager of the programme"
    )
    notes: Annotated[str, Prose(2_000)] = Field("", description="What whoever takes it over should know")

    def values(self) -> dict[str, Any]:
        return dict(self)


class TaskView(View):
    """Something to do until a day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": TASK_ID,
                    "program_id": PROGRAM_ID,
                    "version": 1,
                    **_TASK,
                    "state": "open",
                    "done_by": None,
                    "done_at": None,
                    "template": "visibility",
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    title: str
    kind: str = Field(description="What it is about; an open word")
    due_on: date
    owner_id: str | None
    notes: str
    state: TaskState
    done_by: str | None
    done_at: datetime | None
    template: str | None = Field(description="The starter template that set it")
    created_at: datetime
    updated_at: datetime


class TasksView(View):
    """A page of tasks, those that are due first first."""

    items: list[TaskView]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Found) -> TasksView:
        items = [TaskView.model_validate(one) for one in found.tasks]
        return cls(items=items, next=found.next, total=found.total)


_SHARES: Any = {"company_news": 40, "behind_the_scenes": 40, "jobs": 20}


class MixBody(Body):
    """Percent of what is published by category; together 100, or none at all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"shares": _SHARES}]})

    shares: dict[Annotated[str, OneOf(CATEGORIES)], Annotated[int, Field(ge=0, le=WHOLE)]]


class MixView(View):
    """The content mix that a programme wants; no shares where it wants none."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"program_id": PROGRAM_ID, "version": 1, "shares": _SHARES}]}
    )

    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    shares: dict[str, int] = Field(description="Percent by category")

    @classmethod
    def of(cls, mix: Mix) -> MixView:
        return cls(program_id=mix.program_id, version=mix.version, shares=dict(mix.shares))
