"""`herald.content`: what there is to share. Owned by content, keyed by content."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from herald_contracts.base import Country, Event, Id, Label, Language, Part, Time
from herald_contracts.words import Category, ContentKind, ContentOrigin, Network, RetireReason

Url = Annotated[str, Field(pattern=r"^https?://", max_length=2048)]


class Caption(Part):
    """A suggested text; for one network, or for all where none is named."""

    caption_id: Id
    language: Language
    network: Network | None = None
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class Variant(Part):
    """The item in one language."""

    language: Language
    title: Annotated[str, Field(min_length=1, max_length=300)]
    summary: Annotated[str, Field(max_length=2000)] = ""
    url: Url | None = Field(default=None, description="Where this language has an address of its own")


class Targeting(Part):
    """Who may see it: people whose country, team and site are all listed; an empty list leaves that open. Without any,
    everybody of the programme."""

    countries: list[Country] = Field(default=[])
    teams: list[Label] = Field(default=[])
    sites: list[Label] = Field(default=[])


class _ContentEvent(Event):
    topic: ClassVar[str] = "herald.content"
    source: ClassVar[str] = "/herald/content"
    key: ClassVar[str] = "content_id"
    subject: ClassVar[str] = "content_id"

    content_id: Id
    program_id: Id
    revision: int = Field(ge=1, description="Rises with each change of this item")
    occurred_at: Time


class _ContentState(_ContentEvent):
    kind: ContentKind
    category: Category
    url: Url
    shareable: bool = Field(description="False for what is for inside only")
    variants: list[Variant] = Field(min_length=1)
    captions: list[Caption] = Field(default=[])
    targeting: Targeting = Targeting()
    expires_at: Time | None = Field(default=None, description="When it retires by itself")
    origin: ContentOrigin | None = Field(
        default=None, description="`imported`: brought from another product, published on a day of the past"
    )


class ContentSubmitted(_ContentEvent):
    """An item waits for review."""

    type: ClassVar[str] = "herald.ContentSubmitted.v1"
    origin: ContentOrigin
    source_id: Id | None = Field(default=None, description="The feed it came from")


class ContentApproved(_ContentEvent):
    """A reviewer approved the item."""

    type: ClassVar[str] = "herald.ContentApproved.v1"
    reviewer_id: Id


class ContentRejected(_ContentEvent):
    """A reviewer sent the item back."""

    type: ClassVar[str] = "herald.ContentRejected.v1"
    reviewer_id: Id


class ContentPublished(_ContentState):
    """The item can be seen and shared; carries its whole state."""

    type: ClassVar[str] = "herald.ContentPublished.v1"


class ContentUpdated(_ContentState):
    """A published item changed; carries its whole state."""

    type: ClassVar[str] = "herald.ContentUpdated.v1"


class ContentRetired(_ContentEvent):
    """The item can be seen and shared no more."""

    type: ClassVar[str] = "herald.ContentRetired.v1"
    reason: RetireReason
