"""What people want of mails."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from services.program.queries.mails import Choice, Choices
from services.program.schemas.fields import AT, PROGRAM_ID, View

_CHOICE: Final[dict[str, Any]] = {
    "kind": "newsletter",
    "program_id": PROGRAM_ID,
    "program": "Voices",
    "wanted": True,
}


class MailChoiceView(View):
    """A kind of mail of a programme, and whether it is wanted."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHOICE]}, from_attributes=True)

    kind: str = Field(description="`newsletter`, `invitation`, `lesson-reminder` or `wave-reminder`")
    program_id: str
    program: str = Field(description="What the programme is called")
    wanted: bool

    @classmethod
    def of(cls, choice: Choice) -> MailChoiceView:
        return cls.model_validate(choice)


class MailView(View):
    """A mail to the caller, of the last 180 days."""

    kind: str
    program_id: str
    state: str
    created_at: datetime
    over_at: datetime | None


class MailChoicesView(View):
    """All that is kept of the caller's mails."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "choices": [_CHOICE],
                    "stopped": None,
                    "mails": [
                        {
                            "kind": "newsletter",
                            "program_id": PROGRAM_ID,
                            "state": "sent",
                            "created_at": AT,
                            "over_at": AT,
                        }
                    ],
                }
            ]
        }
    )

    choices: list[MailChoiceView]
    stopped: str | None = Field(
        description="Why no mail is sent at all: `complained` or `bounced`; null where nothing stops it"
    )
    mails: list[MailView] = Field(description="The last 100, the latest first")

    @classmethod
    def of(cls, choices: Choices) -> MailChoicesView:
        return cls.model_validate(choices, from_attributes=True)


class ChooseMail(Body):
    """Whether a kind of mail of a programme is wanted. Wanting one again also ends what a complaint or an address that
    did not exist had stopped."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "newsletter", "program_id": PROGRAM_ID, "wanted": False}]}
    )

    kind: str = Field(max_length=40)
    program_id: str = Field(max_length=100)
    wanted: bool


class TakenView(View):
    """What came of a report."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"known": True}]})

    known: bool = Field(description="Whether it was of a mail that was sent from here")
