"""Posts that worked, as they are offered, written and read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Title
from chassis.text import Words as Prose
from chassis.web.json_bodies import Body
from herald_contracts.base import Id
from herald_contracts.words import Network
from services.program.domain.examples import Example, ExampleState, Words
from services.program.queries.examples import Found, Read, Reading
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View
from services.program.schemas.lessons import LESSON_ID

EXAMPLE_ID: Final = "019c9a10-1c80-7b52-8d1f-2f6a0a7c4207"
POST_ID: Final = "019c9a10-1c80-7b52-8d1f-2f6a0a7c4208"
MAX_TEXT: Final = 5_000
MAX_WHY: Final = 300

_TEXT: Final = "Twelve years on this line, and we still found a way to use half the water."
_WHY: Final = {"fr": "Un fait précis, en ses propres mots.", "en": "One precise fact, in one’s own words."}
_WORDS: Final[dict[str, Any]] = {
    "text": _TEXT,
    "network": "linkedin",
    "language": "en",
    "why": _WHY,
    "lesson_id": LESSON_ID,
}
_OF_AUTHOR: Final[dict[str, Any]] = {"author_id": ID, "post_id": POST_ID, "named": True}

Text = Annotated[str, Prose(MAX_TEXT)]
Why = Annotated[
    dict[Locale, Annotated[str, Title(MAX_WHY)]],
    Field(max_length=20, description="Why it worked, in languages of the programme; in all of them before it is shown"),
]


class OfferBody(Body):
    """A post of one's own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"post_id": POST_ID, "text": _TEXT, "network": "linkedin", "language": "en", "named": True}]
        }
    )

    post_id: Id
    text: Text = Field(description="The post's words")
    network: Network
    language: Locale
    named: bool = Field(description="Whether one’s name may stand beside it")


class ExampleBody(Body):
    """What an example says. What is left out stays as it is; the words of a colleague's post are theirs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WORDS]})

    text: Text | None = Field(None, description="The post's words; needed for a new one")
    network: Network | None = Field(None, description="Needed for a new one")
    language: Locale | None = Field(None, description="Of the text; needed for a new one")
    why: Why = Field(default_factory=dict)
    lesson_id: Annotated[str, Field(max_length=128)] | None = Field(None, description="Beside which it is shown")

    @property
    def words(self) -> Words:
        return Words(self.text, self.network, self.language, self.why, self.lesson_id)


class ExampleView(View):
    """An example as its author and those who choose see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "state": "shown",
                    **_WORDS,
                    **_OF_AUTHOR,
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
    state: ExampleState
    text: str
    network: str
    language: str
    why: dict[str, str]
    lesson_id: str | None
    author_id: str | None = Field(description="Who offered it; null for one that was written as an example")
    post_id: str | None
    named: bool = Field(description="Whether readers may know the author")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, example: Example) -> ExampleView:
        return cls.model_validate(example)


class ExamplesView(View):
    """A page, the newest first."""

    items: list[ExampleView]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Found) -> ExamplesView:
        return cls.model_validate(found)


class ReadExampleView(View):
    """An example as one reads it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "text": _TEXT,
                    "network": "linkedin",
                    "language": "en",
                    "why": _WHY["en"],
                    "why_language": "en",
                    "lesson_id": LESSON_ID,
                    "author_id": ID,
                }
            ]
        }
    )

    id: str
    text: str
    network: str
    language: str
    why: str
    why_language: str
    lesson_id: str | None
    author_id: str | None = Field(description="Its author, who agreed to be named; null for anybody else")

    @classmethod
    def of(cls, read: Read) -> ReadExampleView:
        one = read.example
        return cls(
            id=one.id,
            text=one.text,
            network=one.network,
            language=one.language,
            why=read.why,
            why_language=read.why_language,
            lesson_id=one.lesson_id,
            author_id=one.shown_author,
        )


class ReadExamplesView(View):
    """A page of those that ambassadors read, the newest first."""

    items: list[ReadExampleView]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Reading) -> ReadExamplesView:
        return cls(items=[ReadExampleView.of(one) for one in found.items], next=found.next, total=found.total)
