"""Newsletters as they are written, looked at and read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, model_validator

from chassis.rules import broken
from chassis.text import Line, Markdown, Title
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from chassis.web_address import Address
from services.program.domain.newsletters import (
    BLOCK_KINDS,
    MAX_BLOCKS,
    Block,
    BlockText,
    Newsletter,
    NewsletterState,
)
from services.program.domain.people import Segment
from services.program.domain.waves import EVERYWHERE
from services.program.mail.layout import Layout
from services.program.queries.newsletters import Issue
from services.program.schemas import fields
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Country, Locale, View, places_of

NEWSLETTER_ID: Final = "019d1a52-8c00-7f21-a3c4-6b8d0e2f4a61"
MAX_TEXT: Final = 4_000

_TEXT: Final[dict[str, Any]] = {
    "title": "What you brought",
    "text": "**142** shares in March, and 3,120 visits.",
    "link": "https://herald.example/points",
    "link_text": "See the figures",
    "picture": None,
    "picture_alt": "",
}
_FRENCH: Final[dict[str, Any]] = {
    **_TEXT,
    "title": "Ce que vous avez apporté",
    "text": "**142** partages en mars, et 3 120 visites.",
    "link_text": "Voir les chiffres",
}
_EXAMPLE: Final[dict[str, Any]] = {
    "subjects": {"fr": "Voices en mars", "en": "Voices in March"},
    "blocks": [{"kind": "results", "texts": {"fr": _FRENCH, "en": _TEXT}}],
    "segment": {"everybody": True, "countries": [], "teams": [], "sites": [], "leaders_only": False},
}
Subject = Annotated[str, Title(150)]
HOUR: Final = r"^([01]\d|2[0-3]):[0-5]\d$"


class _Text(Markdown):
    """A text in Markdown that may be empty."""

    nothing: ClassVar[str | None] = None  # type: ignore[assignment]


class BlockTextBody(Body):
    """A block in one language."""

    title: Annotated[str, Line(120)] = ""
    text: Annotated[str, _Text(MAX_TEXT)] = Field("", description="Markdown without HTML")
    link: Address | None = None
    link_text: Annotated[str, Line(80)] = Field("", description="What the link says")
    picture: Address | None = None
    picture_alt: Annotated[str, Line(300)] = Field("", description="What the picture shows; needed beside one")


class BlockBody(Body):
    """A part of a newsletter."""

    kind: Annotated[str, OneOf(BLOCK_KINDS)] = Field("text", description="What it was drafted from")
    texts: dict[Locale, BlockTextBody] = Field(
        min_length=1, max_length=20, description="A text for each language of the programme"
    )

    def block(self) -> Block:
        texts = {language: BlockText(**dict(text)) for language, text in self.texts.items()}
        return Block(self.kind, texts)


class ReadersBody(Body):
    """Which ambassadors get it: by attributes, of which an empty list names none; or `everybody`, in so many words."""

    everybody: bool = False
    countries: list[Country] = Field([], max_length=300)
    teams: list[fields.Line] = Field([], max_length=1000)
    sites: list[fields.Line] = Field([], max_length=1000)
    leaders_only: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> ReadersBody:
        if self.everybody == any((self.countries, self.teams, self.sites, self.leaders_only)):
            raise broken("empty-segment", "Name countries, teams, sites or leaders, or else `everybody`.")
        return self

    def segment(self) -> Segment:
        return Segment(tuple(self.countries), tuple(self.teams), self.leaders_only, tuple(self.sites))


class NewsletterBody(Body):
    """What a newsletter says, and to whom."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    subjects: dict[Locale, Subject] = Field(
        min_length=1, max_length=20, description="A subject for each language of the programme"
    )
    blocks: list[BlockBody] = Field(min_length=1, max_length=MAX_BLOCKS)
    segment: ReadersBody

    def values(self) -> dict[str, Any]:
        return {
            "subjects": dict(self.subjects),
            "blocks": tuple(one.block() for one in self.blocks),
            "segment": self.segment.segment(),
        }


class PeriodBody(Body):
    """Days, both included."""

    first: Day
    last: Day


class DraftBody(NewsletterBody):
    """A new newsletter."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_EXAMPLE, "prepared": {"first": "2026-03-01", "last": "2026-03-31"}}]}
    )

    prepared: PeriodBody | None = Field(
        None, description="The days whose events it was drafted from; null where somebody wrote it"
    )

    def values(self) -> dict[str, Any]:
        period = {"period_first": self.prepared.first, "period_last": self.prepared.last} if self.prepared else {}
        return {**NewsletterBody.values(self), **period}


class ScheduleBody(Body):
    """When it is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"send_on": "2026-04-02", "send_at": "09:00"}]})

    send_on: Day
    send_at: Annotated[str, Field(pattern=HOUR)] = Field(description="`HH:MM` on the clock of each reader")


class BlockTextView(View):
    """A block in one language."""

    title: str
    text: str
    link: str | None
    link_text: str
    picture: str | None
    picture_alt: str


class BlockView(View):
    """A part of a newsletter."""

    kind: str
    texts: dict[str, BlockTextView]


class ReadersView(View):
    """Which ambassadors get it; `everybody` where nothing else is named."""

    everybody: bool
    countries: list[str]
    teams: list[str]
    sites: list[str]
    leaders_only: bool

    @classmethod
    def of(cls, segment: Segment) -> ReadersView:
        everybody = segment == EVERYWHERE
        return cls(everybody=everybody, leaders_only=segment.leaders_only, **places_of(segment))


class NewsletterView(View):
    """A newsletter, in each language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": NEWSLETTER_ID,
                    "program_id": PROGRAM_ID,
                    "version": 3,
                    "state": "scheduled",
                    **_EXAMPLE,
                    "period_first": "2026-03-01",
                    "period_last": "2026-03-31",
                    "send_on": "2026-04-02",
                    "send_at": "09:00",
                    "approved_by": ID,
                    "begun_at": None,
                    "over_at": None,
                    "counts": {},
                    "waiting": {},
                    "recipients": 143,
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        }
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    state: NewsletterState
    subjects: dict[str, str]
    blocks: list[BlockView]
    segment: ReadersView
    period_first: date | None = Field(description="First day of what it tells of, where it was drafted by itself")
    period_last: date | None
    send_on: date | None
    send_at: str | None = Field(description="`HH:MM` on the clock of each reader")
    approved_by: str | None = Field(description="The person who approved it")
    begun_at: datetime | None
    over_at: datetime | None
    counts: dict[str, int] = Field(description="How many mails are in which state; none before it is sent")
    waiting: dict[str, int] = Field(description="How many of those wait for the end of a `night` or `holiday`")
    recipients: int | None = Field(description="How many ambassadors would get it now; null in a list")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls,
        newsletter: Newsletter,
        counts: Mapping[str, int] | None = None,
        recipients: int | None = None,
        waiting: Mapping[str, int] | None = None,
    ) -> NewsletterView:
        names = set(cls.model_fields) - {"counts", "recipients", "waiting"}
        values = {name: getattr(newsletter, name) for name in names}
        return cls.model_validate(
            {
                **values,
                "segment": ReadersView.of(newsletter.segment),
                "counts": dict(counts or newsletter.counts),
                "waiting": dict(waiting or {}),
                "recipients": recipients,
            },
            from_attributes=True,
        )


class NewslettersView(View):
    """A page of newsletters, the last one first."""

    items: list[NewsletterView]
    next: str | None


class LayoutView(View):
    """A mail as its readers see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "language": "en",
                    "subject": "Voices in March",
                    "html": "<!doctype html><html lang='en'>…</html>",
                    "dark": "<!doctype html><html lang='en'>…</html>",
                    "text": "Voices\n\nVoices in March\n",
                }
            ]
        }
    )

    language: str
    subject: str
    html: str
    dark: str = Field(description="The same as a mail program with a dark theme shows it")
    text: str = Field(description="The plain text part")

    @classmethod
    def of(cls, layout: Layout, stop: str) -> LayoutView:
        html, text = layout.for_reader(stop)
        dark, _ = layout.dark().for_reader(stop)
        return cls(language=layout.language, subject=layout.subject, html=html, dark=dark, text=text)


class IssueView(View):
    """A newsletter in the archive, in the language of its reader."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": NEWSLETTER_ID,
                    "language": "en",
                    "subject": "Voices in March",
                    "sent_at": AT,
                    "blocks": [_TEXT],
                }
            ]
        }
    )

    id: str
    language: str
    subject: str
    sent_at: datetime
    blocks: list[BlockTextView]

    @classmethod
    def of(cls, issue: Issue) -> IssueView:
        return cls.model_validate(issue)


class IssuesView(View):
    """A page of the archive, the last one first."""

    items: list[IssueView]
    next: str | None
