"""A programme's calendar, and the hand-over notes of its team."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Markdown
from chassis.web.json_bodies import Body
from services.program.domain.calendars import Feed
from services.program.queries.calendars import Calendar
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View

_ENTRY: Any = {
    "day": "2026-03-10",
    "kind": "task",
    "title": "Editorial meeting: five items for the week",
    "id": "019c9a22-7d10-7b31-a7c2-5a0d4f1e9b02",
    "owner_id": ID,
    "done": False,
}


class EntryView(View):
    """What happens on a day."""

    day: date = Field(description="In the programme's time zone")
    kind: str = Field(
        description="An open word: `task`, `objective_starts`, `objective_ends`, `survey_opens`, `survey_closes`, "
        "`lesson`, `wave_starts`, `wave_ends`, `newsletter`, ..."
    )
    title: str
    id: str = Field(description="Of the thing that it is about")
    owner_id: str | None
    done: bool = Field(description="Of a task")


class CalendarView(View):
    """The entries of some days, by day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "name": "Voices",
                    "time_zone": "Europe/Paris",
                    "language": "fr",
                    "from": "2026-03-01",
                    "to": "2026-03-31",
                    "items": [_ENTRY],
                }
            ]
        },
        populate_by_name=True,
    )

    program_id: str
    name: str
    time_zone: str
    language: str | None = Field(description="In which it was asked for")
    first: date = Field(alias="from")
    to: date
    items: list[EntryView]

    @classmethod
    def of(cls, found: Calendar) -> CalendarView:
        return cls(
            program_id=found.program.id,
            name=found.program.name,
            time_zone=found.program.time_zone,
            language=found.language,
            first=found.first,
            to=found.last,
            items=[EntryView.model_validate(one) for one in found.entries],
        )


class FeedBody(Body):
    """How the calendar is told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "fr"}]})

    language: Locale


class SecretView(View):
    """A secret that leads to a calendar; it is told this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"secret": "dGhpcyBpcyBubyBzZWNyZXQgb2YgYW55Ym9keQ"}]})

    secret: str = Field(description="Of `GET /calendars/{secret}`: whoever has it reads the calendar")


class FeedView(View):
    """Whether one has a secret address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": AT}]})

    since: datetime | None = Field(description="Null where there is none")

    @classmethod
    def of(cls, feed: Feed | None) -> FeedView:
        return cls(since=feed.created_at if feed else None)


class HandoverBody(Body):
    """What whoever takes the programme over should know."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The works council meets on Tuesdays."}]})

    text: Annotated[str, Markdown(20_000)] = Field(description="Markdown")


class HandoverView(View):
    """The hand-over notes of a programme's team."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "text": "The works council meets on Tuesdays.",
                    "written_by": ID,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    text: str = Field(description="Markdown; empty where nobody wrote any")
    written_by: str | None
    updated_at: datetime | None
