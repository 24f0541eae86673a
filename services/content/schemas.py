"""Request and response models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from chassis.clock import to_milliseconds
from chassis.text import Name, Prose, Title, Words, distinct
from chassis.web.http import Total
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Moment
from chassis.web_address import Address
from herald_contracts.base import Country, Id, Language
from herald_contracts.words import (
    CATEGORIES,
    CONTENT_KINDS,
    NETWORKS,
    Category,
    ContentKind,
    ContentOrigin,
    Network,
    OpenWord,
    RetireReason,
)
from services.content.commands import SourceOrder
from services.content.domain import items
from services.content.domain.items import Item, Served, State
from services.content.domain.sources import FeedRule, Outcome, Source
from services.content.feeds.refusal import MEND_RULES

KnownNetwork = Annotated[str, OneOf(NETWORKS)]
KnownKind = Annotated[str, OneOf(CONTENT_KINDS)]
KnownCategory = Annotated[str, OneOf(CATEGORIES)]
Identifier = Annotated[Id, Field(examples=["019c1347-d280-752e-b651-3270269e0d37"])]


# --- orders --------------------------------------------------------------------------------------------------------


class VariantOrder(Body):
    """The item in one language."""

    language: Annotated[Language, Field(examples=["fr"])]
    title: Annotated[str, Title(items.MAX_TITLE), Field(examples=["Deux fois moins d’eau"])]
    summary: Annotated[str, Prose(items.MAX_SUMMARY)] = ""
    url: Address | None = Field(None, description="Where this language has an address of its own")


class CaptionOrder(Body):
    """A suggested text."""

    language: Annotated[Language, Field(examples=["fr"])]
    network: KnownNetwork | None = Field(None, description="None for every network")
    text: Annotated[str, Words(items.MAX_CAPTION), Field(examples=["Fière de l’équipe de Lyon 👇"])]


class TargetingOrder(Body):
    """Those whom all lists name; an empty list leaves that open."""

    countries: Annotated[tuple[Country, ...], Field(max_length=items.MAX_COUNTRIES, examples=[["FR", "BE"]])] = ()
    teams: Annotated[
        tuple[Annotated[str, Name()], ...],
        Field(
            max_length=items.MAX_TEAMS,
            description="However they are spelled: case, accents and spaces make no other team",
            examples=[["Engineering"]],
        ),
    ] = ()
    sites: Annotated[
        tuple[Annotated[str, Name()], ...],
        Field(max_length=items.MAX_SITES, description="As `people` have them", examples=[["Lyon"]]),
    ] = ()


class ItemOrder(Body):
    """Everything of an item that an editor writes."""

    program_id: Identifier
    kind: KnownKind
    category: KnownCategory
    url: Address
    shareable: StrictBool = Field(True, description="False for what is for inside only")
    variants: Annotated[tuple[VariantOrder, ...], Field(min_length=1, max_length=items.MAX_VARIANTS)]
    captions: Annotated[
        tuple[CaptionOrder, ...],
        Field(max_length=items.MAX_CAPTIONS, description=f"At most {items.MAX_CAPTIONS_TEXT} characters together"),
    ] = ()
    targeting: TargetingOrder = TargetingOrder()
    expires_at: Moment | None = Field(None, description="When it retires by itself")
    image_url: Address | None = None
    pinned: StrictBool = Field(False, description="True to stand before all others in feeds")

    @property
    def write(self) -> Callable[[str], items.Copy]:
        """The copy of the item with a given id."""

        def write(item_id: str) -> items.Copy:
            captions = [items.caption(item_id, one.language, one.text, one.network) for one in self.captions]
            return items.Copy(
                kind=self.kind,
                category=self.category,
                url=self.url,
                variants=tuple(items.Variant(**one.model_dump()) for one in self.variants),
                captions=tuple(captions),
                shareable=self.shareable,
                targeting=items.Targeting(
                    tuple(dict.fromkeys(self.targeting.countries)),
                    distinct(self.targeting.teams),
                    tuple(dict.fromkeys(self.targeting.sites)),
                ),
                expires_at=to_milliseconds(self.expires_at) if self.expires_at else None,
                image_url=self.image_url,
                pinned=self.pinned,
            )

        return write


class NoOrder(Body):
    """No fields."""


class RejectOrder(Body):
    """Why an item goes back to its author."""

    comment: Annotated[str, Words(2000), Field(examples=["The figure needs a source."])]


class FeedOrder(Body):
    """A feed to look at regularly."""

    program_id: Identifier
    url: Annotated[Address, Field(examples=["https://www.example.com/feed.xml"])]
    language: Annotated[Language, Field(examples=["en"], description="Of entries that do not say another")]
    rule: FeedRule = Field("review", description="What becomes of its entries: items in review, or published at once")
    category: KnownCategory = "company_news"

    @property
    def order(self) -> SourceOrder:
        return SourceOrder(self.program_id, self.language, self.rule, self.category, self.url)


# --- views ---------------------------------------------------------------------------------------------------------


class View(BaseModel):
    """What is answered; `of` makes it of the domain's."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class VariantView(View):
    language: str
    title: str
    summary: str
    url: str | None


class CaptionView(View):
    """The same words keep their id from one version of an item to the next."""

    caption_id: str
    language: str
    network: Network | None
    text: str


class TargetingView(View):
    countries: list[str]
    teams: list[str]
    sites: list[str]


class ItemView(View):
    """An item as editors see it."""

    id: str
    program_id: str
    state: Annotated[str, OpenWord(get_args(State))]
    version: int = Field(description="Also the ETag")
    kind: ContentKind
    category: Category
    url: str | None = Field(description="None for an entry of a feed without one: needed before it is published")
    shareable: bool
    variants: list[VariantView]
    captions: list[CaptionView]
    targeting: TargetingView
    expires_at: datetime | None
    image_url: str | None
    pinned: bool
    origin: ContentOrigin
    source_id: str | None = Field(description="The feed that it came from")
    dated_at: datetime | None = Field(description="When that feed says that it was published there")
    author_id: str | None
    reviewer_id: str | None
    comment: str | None = Field(description="What the reviewer who sent it back would like to see changed")
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    retired_at: datetime | None
    retire_reason: RetireReason | None

    @classmethod
    def of(cls, item: Item) -> Self:
        fields = {name: getattr(item, name) for name in Item.__slots__ if name != "copy"}
        return cls.model_validate({**fields, **{name: getattr(item.copy, name) for name in items.Copy.__slots__}})


class FeedItemView(View):
    """An item as one person may see and share it."""

    id: str
    program_id: str
    kind: ContentKind
    category: Category
    language: str = Field(description="Of title, summary and address: the nearest to what was asked for")
    title: str
    summary: str
    url: str
    image_url: str | None
    imported: bool = Field(description="True if it came with the history of another product")
    captions: list[CaptionView] = Field(description="The one to offer first comes first; it differs among colleagues")
    shareable: bool
    pinned: bool
    published_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, served: Served) -> Self:
        item, copy, variant = served.item, served.item.copy, served.variant
        url = variant.url or copy.url
        assert item.published_at is not None
        assert url is not None
        return cls(
            id=item.id,
            program_id=item.program_id,
            kind=copy.kind,
            category=copy.category,
            language=variant.language,
            title=variant.title,
            summary=variant.summary,
            url=url,
            image_url=copy.image_url,
            captions=[CaptionView.model_validate(one) for one in served.captions],
            shareable=copy.shareable,
            imported=item.origin == "imported",
            pinned=copy.pinned,
            published_at=item.published_at,
            expires_at=copy.expires_at,
        )


class MendView(View):
    """Something that is wrong with a feed, which could be read all the same."""

    rule: str = Field(description=f"One of {', '.join(MEND_RULES)}")
    line: int = Field(description="The first line where it is; 0 where none can be named")


class ResultView(View):
    """What came of the last look at a source."""

    at: datetime
    outcome: Annotated[str, OpenWord(get_args(Outcome))]
    new: int = Field(description="Entries that became items")
    known: int = Field(description="Entries that were items already")
    skipped: int = Field(description="Entries with nothing in them, or beyond the newest hundred")
    rule: str | None = Field(description="Why it failed: a stable word")
    detail: str | None
    params: dict[str, str | int] = Field(description="Of the rule, such as the `status` that the site answered")
    mended: list[MendView] = Field(description="What was wrong with the feed when it was last read, and was mended")


class SourceView(View):
    """A feed source."""

    id: str
    program_id: str
    kind: Literal["url", "file"]
    url: str | None
    title: str = Field(description="The feed's own")
    language: str
    rule: Annotated[str, OpenWord(get_args(FeedRule))]
    category: Category
    created_at: datetime
    failures: int = Field(description="Failed looks since the last good one; each doubles the wait")
    next_poll_at: datetime | None
    paused_at: datetime | None = Field(description="Since when it is read no more, until it is resumed")
    last: ResultView | None

    @classmethod
    def of(cls, source: Source) -> Self:
        fields = {name: getattr(source, name) for name in Source.__slots__}
        return cls.model_validate({**fields, "kind": "url" if source.url else "file"})


class Items(View):
    items: list[ItemView]
    next: str | None = Field(description="Cursor of the next page")
    total: int = Field(description="How many there are on all pages; 10,000 stands for that many and more")


class FeedItems(View):
    items: list[FeedItemView]
    next: str | None = Field(description="Cursor of the next page")
    total: int | None = Field(
        description="How many there are on all pages, beside the first page; null beside others. 1,000 stands for that "
        "many and more"
    )


class Sources(View):
    items: list[SourceView]
    next: str | None = Field(description="Cursor of the next page")
    total: Total
