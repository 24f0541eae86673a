"""`herald.posts`, `herald.clicks`, `herald.engagements`: shares and what they bring. Owned by sharing."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from herald_contracts.base import Event, Id, Language, Time
from herald_contracts.words import Agent, EngagementKind, Measure, Method, Network, RemovalReason, Verdict

LinkCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{4,32}$")]


class _PostEvent(Event):
    topic: ClassVar[str] = "herald.posts"
    source: ClassVar[str] = "/herald/sharing"
    key: ClassVar[str] = "ambassador_id"
    subject: ClassVar[str] = "post_id"

    post_id: Id
    ambassador_id: Id
    program_id: Id
    content_id: Id
    network: Network
    occurred_at: Time


class PostShared(_PostEvent):
    """An ambassador shared an item on a network."""

    type: ClassVar[str] = "herald.PostShared.v1"
    language: Language
    caption_id: Id | None = Field(default=None, description="The suggestion that was taken, if any")
    edited: bool = Field(description="True if the words are the ambassador's own")
    link_code: LinkCode
    method: Method


class PostRemoved(_PostEvent):
    """A share was taken back: the dialog was closed without posting, or the post deleted."""

    type: ClassVar[str] = "herald.PostRemoved.v1"
    reason: RemovalReason


class LinkClicked(Event):
    """A short link was followed: raw, before it is classified."""

    type: ClassVar[str] = "herald.LinkClicked.v1"
    topic: ClassVar[str] = "herald.clicks"
    source: ClassVar[str] = "/herald/sharing"
    key: ClassVar[str] = "link_code"
    subject: ClassVar[str] = "link_code"

    link_code: LinkCode
    occurred_at: Time
    visitor: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        default=None,
        description="Keyed hash of address and browser, of one day; none where a visitor objects (GPC, DNT)",
    )
    visitor_yesterday: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        default=None,
        description="In the hour after midnight UTC: the visitor's hash of the day before",
    )
    agent: Agent = Field(description="What the request said it was")
    referrer: Annotated[str, Field(max_length=253)] | None = Field(default=None, description="A host name")


class EngagementRecorded(Event):
    """Engagement with a share: one event for each click, or the increase of a network's count."""

    type: ClassVar[str] = "herald.EngagementRecorded.v1"
    topic: ClassVar[str] = "herald.engagements"
    source: ClassVar[str] = "/herald/sharing"
    key: ClassVar[str] = "ambassador_id"
    subject: ClassVar[str] = "post_id"

    post_id: Id
    ambassador_id: Id
    program_id: Id
    content_id: Id
    network: Network
    kind: EngagementKind
    quantity: int = Field(ge=1, le=1_000_000)
    verdict: Verdict = Field(description="'counted', or why the filtered figures leave it out")
    measure: Measure
    occurred_at: Time
