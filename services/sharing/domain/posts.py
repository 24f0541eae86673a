"""A post: one person's share of an item on a network, with a short link of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from chassis.text import match_key
from chassis.web.problems import Conflict, Forbidden, Invalid
from chassis.web_address import find
from herald_contracts.words import Method, RemovalReason

ONE_TAP = timedelta(seconds=10)
"""Two shares of one item on one network by one person in the same words within this time are one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A caption that content proposes; for one network, or for all where none is named."""

    caption_id: str
    language: str
    network: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Variant:
    """The item in one language; `url` where that language has an address of its own."""

    language: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What sharing knows of an item. Empty `countries`, `teams` or `sites` stand for everybody."""

    id: str
    program_id: str
    revision: int
    published: bool
    shareable: bool
    url: str
    variants: tuple[Variant, ...] = ()
    captions: tuple[Suggestion, ...] = ()
    countries: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    described: int = 0
    """The revision of all but `published`, which a retirement changes alone."""

    def variant(self, language: str) -> Variant | None:
        """The variant in that language, else in its base language, else the first."""
        base = language.partition("-")[0]
        by_language = {one.language: one for one in reversed(self.variants)}
        return by_language.get(language) or by_language.get(base) or next(iter(self.variants), None)

    def title_in(self, language: str) -> str:
        variant = self.variant(language)
        return variant.title if variant else ""

    def url_in(self, language: str) -> str:
        variant = self.variant(language)
        return variant.url if variant and variant.url else self.url

    def caption(self, caption_id: str) -> Suggestion | None:
        return next((one for one in self.captions if one.caption_id == caption_id), None)


@dataclass(frozen=True, slots=True)
class RequiredLesson:
    """A lesson of a programme, and what it is required for: nothing once it is retired."""

    id: str
    program_id: str
    revision: int
    required_for: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as sharing must know them: where they belong, and which guidelines they acknowledged.

    `required` is the version of the guidelines that must be acknowledged, 0 for none; `lessons_left` are those that
    they have to complete before they share.
    """

    country: str
    team: str
    member: bool
    acknowledged: int
    required: int
    site: str | None = None
    lessons_left: tuple[str, ...] = ()
    archived: bool = False
    """Whether the programme is over."""


@dataclass(frozen=True, slots=True)
class ShareOrder:
    """What a person asks to share, and in which words."""

    content_id: str
    network: str
    language: str
    caption: str
    caption_id: str | None = None

    def tap(self, ambassador_id: str) -> str:
        """What two taps have in common that are one share: the person, the item, the network and the words."""
        words = hashlib.sha256(f"{self.language}|{self.caption}".encode()).hexdigest()
        return f"{ambassador_id}|{self.content_id}|{self.network}|{words}"


@dataclass(frozen=True, slots=True)
class Post:
    """A share. `caption` is the whole text as it goes out, with disclosure and short link; `target` is where the
    link leads. `method` says how it was made: in a dialog, or `imported` from another product. `clicks` and
    `engagements` are counts by verdict and by kind. Until `restorable_until` a removal can be undone, and nobody else
    has heard of it."""

    id: str
    version: int
    ambassador_id: str
    program_id: str
    content_id: str
    network: str
    language: str
    title: str
    caption_id: str | None
    caption: str
    edited: bool
    link_code: str
    target: str
    shared_at: datetime
    method: Method = "dialog"
    removed_at: datetime | None = None
    removed_reason: RemovalReason | None = None
    restorable_until: datetime | None = None
    clicks: Mapping[str, int] = field(default_factory=dict)
    engagements: Mapping[str, int] = field(default_factory=dict)

    @property
    def clicks_raw(self) -> int:
        return sum(self.clicks.values())

    @property
    def clicks_counted(self) -> int:
        return self.clicks.get("counted", 0)


class PostReference(NamedTuple):
    """Of a post what an engagement must know."""

    id: str
    ambassador_id: str
    program_id: str
    content_id: str
    network: str
    shared_at: datetime


class TitledPost(NamedTuple):
    """Of a post what it is about."""

    id: str
    content_id: str
    title: str
    language: str


def check_may_share(content: Content, standing: Standing, now: datetime) -> None:
    """Raises Forbidden `not-a-member`, `not-targeted`, or Conflict `program-archived`, `content-not-shareable`,
    `guidelines-not-acknowledged`, `lesson-not-completed`."""
    if not standing.member:
        raise not_a_member(content.program_id)
    if standing.archived:
        raise Conflict("This programme is over.", type_="program-archived", program_id=content.program_id)
    team = match_key(standing.team)
    where = (
        (standing.country, content.countries),
        (team, set(map(match_key, content.teams))),
        (standing.site, content.sites),
    )
    if not all(_is_for(*one) for one in where):
        raise Forbidden("This item is for other countries, teams or sites.", type_="not-targeted")
    reason = _why_not_shareable(content, now)
    if reason:
        raise Conflict(
            f"This item cannot be shared: it {_BECAUSE[reason]}.", type_="content-not-shareable", reason=reason
        )
    if standing.acknowledged < standing.required:
        raise Conflict(
            "Acknowledge the guidelines first.",
            type_="guidelines-not-acknowledged",
            program_id=content.program_id,
            required_version=standing.required,
        )
    if standing.lessons_left:
        raise Conflict(
            "Complete the lesson first.",
            type_="lesson-not-completed",
            program_id=content.program_id,
            lesson_id=standing.lessons_left[0],
        )


def not_a_member(program_id: str) -> Forbidden:
    """For whoever is no ambassador of the programme, or no more."""
    return Forbidden("Join the programme first.", type_="not-a-member", program_id=program_id)


_BECAUSE = {
    "retired": "is retired",
    "internal": "is internal",
    "expired": "is expired",
    "address": "has no web address that can be followed",
}


def _is_for(one: str | None, wanted: Set[str]) -> bool:
    return not wanted or one in wanted


def _why_not_shareable(content: Content, now: datetime) -> str | None:
    if not content.published:
        return "retired"
    if not content.shareable:
        return "internal"
    if content.expires_at is not None and content.expires_at <= now:
        return "expired"
    addresses = (content.url, *(variant.url for variant in content.variants if variant.url))
    return "address" if any(find(address) is None for address in addresses) else None


def is_edited(order: ShareOrder, content: Content) -> bool:
    """Whether the words are the person's own. Raises Invalid if the suggestion is none of this item."""
    if order.caption_id is None:
        return True
    suggestion = content.caption(order.caption_id)
    if suggestion is None:
        raise Invalid.one("caption_id", "unknown", "This item has no such caption.")
    return order.caption.split() != suggestion.text.split()


def remove(post: Post, reason: RemovalReason, now: datetime, *, held: timedelta = timedelta(0)) -> Post:
    """The post, taken back; as it was if it had been already. Its link goes on leading where it leads. While it is
    `held` it can be restored."""
    if post.removed_at is not None:
        return post
    until = now + held if held else None
    return replace(post, version=post.version + 1, removed_at=now, removed_reason=reason, restorable_until=until)


def restore(post: Post, now: datetime) -> Post:
    """The post as if it had never been taken back; as it is if it stands. Raises Conflict `removal-final`."""
    if post.removed_at is None:
        return post
    if post.restorable_until is None or post.restorable_until <= now:
        raise Conflict("This share was taken back for good. Share it again.", type_="removal-final")
    return replace(post, version=post.version + 1, removed_at=None, removed_reason=None, restorable_until=None)


def finish_removal(post: Post, now: datetime) -> Post:
    """The post, taken back for good where its time to be restored is over; else as it is."""
    if post.restorable_until is None or post.restorable_until > now:
        return post
    return replace(post, version=post.version + 1, restorable_until=None)
