"""Questions to compliance, comments on the programme, and their answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Words
from chassis.web.json_bodies import Body
from services.program.domain.feedback import MAX_TEXT, Feedback, FeedbackKind, FeedbackState, Said
from services.program.queries.feedback import Published
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View

FEEDBACK_ID: Final = "019c9b3e-1c00-7f21-9a4e-7b1d2c3e4f50"
_SAID: Final[dict[str, Any]] = {"said": "May I show a prototype?", "answer": "Yes, once it was in the press kit."}
_OWN: Final[dict[str, Any]] = {
    "id": FEEDBACK_ID,
    "program_id": PROGRAM_ID,
    "kind": "question",
    "language": "en",
    "text": "May I post the photo of the new prototype?",
    "created_at": AT,
    "answer": "Yes: it was in the press kit on Monday.",
    "answered_at": AT,
    "unseen": True,
}


class FeedbackBody(Body):
    """What an ambassador asks compliance, or says about the programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "question", "text": "May I post the photo of the prototype?", "language": "en"}]
        }
    )

    kind: FeedbackKind
    text: Annotated[str, Words(MAX_TEXT)]
    language: Locale = Field(description="In which it is written")
    item_id: str | None = Field(None, min_length=1, max_length=128, description="What one was about to share")


class SaidBody(Body):
    """What is told in public, in one language."""

    said: Annotated[str, Words(MAX_TEXT)] = Field(description="What was asked or said, in words that name nobody")
    answer: Annotated[str, Words(MAX_TEXT)]


class FeedbackAnswer(Body):
    """An answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"answer": "Yes: it was in the press kit on Monday.", "public": {"en": _SAID}, "done": False}]
        }
    )

    answer: Annotated[str, Words(MAX_TEXT)] = Field(description="To who wrote, and nobody else")
    public: dict[Locale, SaidBody] = Field(
        {}, max_length=20, description="For everybody, in languages of the programme; empty for an answer in private"
    )
    done: bool = Field(False, description='Of a comment: that something was done about it ("you said, we did")')

    def values(self) -> dict[str, Any]:
        """What the command takes."""
        public = {language: Said(one.said, one.answer) for language, one in self.public.items()}
        return {"answer": self.answer, "public": public, "done": self.done}


class OwnFeedbackView(View):
    """What the caller wrote."""

    model_config = ConfigDict(json_schema_extra={"examples": [_OWN]}, from_attributes=True)

    id: str
    program_id: str
    kind: FeedbackKind
    language: str
    text: str
    created_at: datetime
    answer: str = Field(description="Empty while it waits for one")
    answered_at: datetime | None
    unseen: bool = Field(description="Whether there is an answer that the caller has not seen")


class OwnFeedbacksView(View):
    """What the caller wrote, the newest first."""

    items: list[OwnFeedbackView]
    unseen: int

    @classmethod
    def of(cls, found: Iterable[Feedback]) -> OwnFeedbacksView:
        items = [OwnFeedbackView.model_validate(one) for one in found]
        return cls(items=items, unseen=sum(one.unseen for one in items))


class SaidView(View):
    """What is told in public, in one language."""

    said: str
    answer: str


class FeedbackView(OwnFeedbackView):
    """What somebody wrote, as those see it who answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_OWN,
                    "version": 2,
                    "state": "answered",
                    "person_id": ID,
                    "item_id": None,
                    "answered_by": ID,
                    "public": {"en": _SAID},
                    "done": False,
                    "published_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    version: int = Field(description="Rises with each change; the ETag")
    state: FeedbackState
    person_id: str | None = Field(description="Who wrote it; null once they took it back")
    item_id: str | None
    answered_by: str | None
    public: dict[str, SaidView]
    done: bool
    published_at: datetime | None


class FeedbacksView(View):
    """A page of what ambassadors wrote, the newest first."""

    items: list[FeedbackView]
    next: str | None
    total: int


class PublishedView(View):
    """What is told in public."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": FEEDBACK_ID,
                    "kind": "question",
                    "language": "en",
                    **_SAID,
                    "done": False,
                    "published_at": AT,
                }
            ]
        }
    )

    id: str
    kind: FeedbackKind
    language: str
    said: str
    answer: str
    done: bool
    published_at: datetime

    @classmethod
    def of(cls, found: Published) -> PublishedView:
        one = found.feedback
        assert one.published_at is not None
        return cls(
            id=one.id,
            kind=one.kind,
            language=found.language,
            said=found.said.said,
            answer=found.said.answer,
            done=one.done,
            published_at=one.published_at,
        )


class PublishedPage(View):
    """A page of what is told in public, the last published first."""

    items: list[PublishedView]
    next: str | None
