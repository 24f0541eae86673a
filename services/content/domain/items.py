"""The rules of items: their life cycle, who may see them, and in which language."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeVar

from chassis.ids import derived_id
from chassis.text import match_key
from chassis.web.problems import Conflict, Invalid, Violation
from herald_contracts.words import Category, ContentKind, ContentOrigin, Network, RetireReason

State = Literal["draft", "in_review", "approved", "published", "retired"]
T = TypeVar("T")

MAX_TITLE: Final = 300
MAX_SUMMARY: Final = 2000
MAX_CAPTION: Final = 5000
MAX_VARIANTS: Final = 20
MAX_CAPTIONS: Final = 100
MAX_CAPTIONS_TEXT: Final = 100_000
"""Characters of all captions together, so that an item fits into one Kafka record."""
MAX_COUNTRIES: Final = 100
MAX_TEAMS: Final = 100
MAX_SITES: Final = 100
MAX_AUDIENCES: Final = 1000
"""Countries times teams times sites: each combination is a key of the feed's index."""
AT_SITE: Final = "\x1f"
"""Before the site of a key: in no name, so that the keys of two targetings are never alike."""


# --- items -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variant:
    """The item in one language."""

    language: str
    title: str
    summary: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """A suggested text, for one network or (None) for any. The same words keep their id."""

    caption_id: str
    language: str
    text: str
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class Targeting:
    """People whose country, team and site are all listed; an empty list leaves that open. Sites are named as they are
    written, teams in any spelling."""

    countries: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """What an editor writes: everything of an item except its state. Without an address (`url`) it cannot be published;
    an entry of a feed may lack one."""

    kind: ContentKind
    category: Category
    url: str | None
    variants: tuple[Variant, ...]
    captions: tuple[Caption, ...] = ()
    shareable: bool = True
    targeting: Targeting = Targeting()
    expires_at: datetime | None = None
    image_url: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class EntryKey:
    """Identifies the entry of a feed, as the feed wrote it; `link` and `guid` are empty where it has none."""

    guid: str
    link: str
    title: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something to share. `version` rises by one with each change; `dated_at` is when its feed says that it was
    published there."""

    id: str
    program_id: str
    copy: Copy
    created_at: datetime
    updated_at: datetime
    state: State = "draft"
    version: int = 1
    origin: ContentOrigin = "editor"
    source_id: str | None = None
    entry: EntryKey | None = None
    dated_at: datetime | None = None
    author_id: str | None = None
    reviewer_id: str | None = None
    comment: str | None = None
    published_at: datetime | None = None
    retired_at: datetime | None = None
    retire_reason: RetireReason | None = None


def caption(item_id: str, language: str, text: str, network: Network | None = None) -> Caption:
    """A caption of an item; its id is derived from its text."""
    return Caption(derived_id("caption", item_id, language, network or "", text), language, text, network)


def check(copy: Copy, now: datetime) -> Copy:
    """Checks the rules that concern several fields. Raises Invalid with every rule that is broken."""
    violations = [*_languages(copy), *_texts(copy), *_reach(copy, now)]
    if violations:
        raise Invalid("See `errors` for each field and the rule it breaks.", errors=violations)
    return copy


def _languages(copy: Copy) -> Iterator[Violation]:
    seen: set[str] = set()
    for number, variant in enumerate(copy.variants):
        if variant.language.lower() in seen:
            yield Violation(f"variants.{number}.language", "duplicate", "There is a variant in this language already.")
        seen.add(variant.language.lower())
    ids: set[str] = set()
    for number, one in enumerate(copy.captions):
        if one.caption_id in ids:
            yield Violation(f"captions.{number}.text", "duplicate", "This caption is there already.")
        ids.add(one.caption_id)


def _texts(copy: Copy) -> Iterator[Violation]:
    named = [
        *((f"variants.{number}.title", one.title, True) for number, one in enumerate(copy.variants)),
        *((f"variants.{number}.summary", one.summary, False) for number, one in enumerate(copy.variants)),
        *((f"captions.{number}.text", one.text, True) for number, one in enumerate(copy.captions)),
        *((f"targeting.teams.{number}", team, True) for number, team in enumerate(copy.targeting.teams)),
        *((f"targeting.sites.{number}", site, True) for number, site in enumerate(copy.targeting.sites)),
    ]
    for field, text, needed in named:
        if needed and not text.strip():
            yield Violation(field, "blank", "Some words are needed.")
        if any(unicodedata.category(sign) == "Cc" and sign not in "\n\r\t" for sign in text):
            yield Violation(field, "control-character", "Control characters are not accepted.")
    total = sum(len(one.text) for one in copy.captions)
    if total > MAX_CAPTIONS_TEXT:
        yield Violation(
            "captions",
            "too-long",
            f"At most {MAX_CAPTIONS_TEXT} characters together, not {total}.",
            params={"max": MAX_CAPTIONS_TEXT},
        )


def _reach(copy: Copy, now: datetime) -> Iterator[Violation]:
    if copy.expires_at is not None and copy.expires_at <= now:
        yield Violation("expires_at", "past", "An item cannot expire before now.")
    targeting = copy.targeting
    pairs = math.prod(max(1, len(one)) for one in (targeting.countries, targeting.teams, targeting.sites))
    if pairs > MAX_AUDIENCES:
        detail = f"{pairs} combinations of country, team and site; at most {MAX_AUDIENCES}. An empty list names all."
        yield Violation("targeting", "too-many", detail, params={"max": MAX_AUDIENCES, "pairs": pairs})


# --- an item's life ------------------------------------------------------------------------------------------------


def submit(item: Item, now: datetime) -> Item:
    """A draft asks for review. Raises Conflict."""
    _require(item, "in_review", "draft")
    return _changed(replace(item, state="in_review", reviewer_id=None, comment=None), now)


def approve(item: Item, reviewer_id: str, now: datetime) -> Item:
    """A reviewer approves it. Raises Conflict."""
    _require(item, "approved", "in_review")
    return _changed(replace(item, state="approved", reviewer_id=reviewer_id, comment=None), now)


def reject(item: Item, reviewer_id: str, comment: str, now: datetime) -> Item:
    """Back to draft, with what is to be improved. Raises Conflict."""
    _require(item, "draft", "in_review")
    return _changed(replace(item, state="draft", reviewer_id=reviewer_id, comment=comment), now)


def publish(item: Item, now: datetime) -> Item:
    """It can be seen and shared. Raises Conflict, and Invalid if it would have expired or leads nowhere."""
    _require(item, "published", "approved")
    if item.copy.url is None:
        raise Invalid.one("url", "required", "It has no address yet; an item without one cannot be shared.")
    check(item.copy, now)
    return _changed(replace(item, state="published", published_at=now), now)


def published_unreviewed(item: Item) -> Item:
    """An item of a source whose editor trusts it, published as of the moment it was made."""
    at = item.created_at
    return _changed(replace(item, state="published", published_at=at), at)


def retire(item: Item, reason: RetireReason, now: datetime) -> Item:
    """It can be seen and shared no more. Raises Conflict."""
    _require(item, "retired", "draft", "in_review", "approved", "published")
    return _changed(replace(item, state="retired", retired_at=now, retire_reason=reason), now)


def unpublish(item: Item, now: datetime) -> Item:
    """It is approved and no longer published, as if it never had been. Raises Conflict."""
    _require(item, "approved", "published")
    return _changed(replace(item, state="approved", published_at=None), now)


def restore(item: Item, now: datetime) -> Item:
    """A retired item as it was before: published, at its old place in feeds, or else a draft. Raises Conflict, and
    Invalid if it has expired."""
    _require(item, None, "retired")
    if item.retire_reason == "imported":
        raise Conflict("It was another product's and is kept for its figures.", type_="imported", state=item.state)
    state: State = "published" if item.published_at is not None else "draft"
    if state == "published":
        check(item.copy, now)
    return _changed(replace(item, state=state, retired_at=None, retire_reason=None), now)


def revise(item: Item, copy: Copy, now: datetime) -> Item:
    """The item with new content. An approved item goes back to review; the same content changes nothing. Raises
    Conflict for a retired item, Invalid."""
    _require(item, None, "draft", "in_review", "approved", "published")
    if copy == item.copy:
        return item
    state: State = "in_review" if item.state == "approved" else item.state
    return _changed(replace(item, copy=check(copy, now), state=state), now)


def _require(item: Item, wanted: State | None, *allowed: State) -> None:
    if item.state in allowed:
        return
    if item.state == wanted:
        raise Conflict(f"It is {wanted} already.", type_=f"already-{wanted.replace('_', '-')}", state=item.state)
    detail = f"It is {item.state}; this needs {' or '.join(allowed)}."
    raise Conflict(detail, type_="wrong-state", state=item.state, allowed=list(allowed))


def _changed(item: Item, now: datetime) -> Item:
    return replace(item, version=item.version + 1, updated_at=now)


# --- who sees what -------------------------------------------------------------------------------------------------


def audiences(targeting: Targeting) -> tuple[str, ...]:
    """The keys under which an item is found: one for each combination of country, team and site, empty where that is
    open. Spellings of one team give one key."""
    teams = [match_key(team) for team in targeting.teams] or [""]
    at = [f"{AT_SITE}{site}" for site in targeting.sites] or [""]
    return tuple(f"{country}|{team}{site}" for country in targeting.countries or ("",) for team in teams for site in at)


def audiences_of(country: str, team: str, site: str | None = None) -> tuple[str, ...]:
    """The keys to look up for a person. An item that targets them has exactly one of these, any other has none."""
    key = match_key(team)
    anywhere = tuple(dict.fromkeys(("|", f"{country}|", f"|{key}", f"{country}|{key}")))
    return anywhere + tuple(f"{one}{AT_SITE}{site}" for one in anywhere if site)


def position(item: Item) -> str | None:
    """The sort key of a published item in feeds, as text, read in descending order: pinned, newest, then by id."""
    if item.published_at is None:
        return None
    return f"{int(item.copy.pinned)}{item.published_at.isoformat(timespec='milliseconds')}{item.id}"


@dataclass(frozen=True, slots=True)
class Served:
    """An item as one person sees it."""

    item: Item
    variant: Variant
    captions: tuple[Caption, ...]


def serve(item: Item, person_id: str, language: str, network: Network | None = None) -> Served:
    """The item in the language nearest to the wanted one. Its captions are in that language (in any, if there are
    none), those for the network before those for any network. Several for one network are rotated by a hash of person
    and item: colleagues are offered different ones first, one person always the same.
    """
    variant = _nearest(item.copy.variants, language)
    fitting = [one for one in item.copy.captions if network is None or one.network in (network, None)]
    spoken = [one for one in fitting if _base(one.language) == _base(variant.language)] or fitting
    groups: dict[Network | None, list[Caption]] = {}
    for one in spoken:
        groups.setdefault(one.network, []).append(one)
    digest = hashlib.sha256(f"{person_id}\x1f{item.id}".encode()).digest()
    turn = int.from_bytes(digest[:8], "big")
    general = groups.pop(None, [])
    captions = [one for group in (*groups.values(), general) for one in _turned(group, turn)]
    return Served(item, variant, tuple(captions))


def _turned(group: list[T], turn: int) -> list[T]:
    start = turn % len(group) if group else 0
    return group[start:] + group[:start]


def _base(language: str) -> str:
    return language.lower().partition("-")[0]


def _nearest(variants: Sequence[Variant], language: str) -> Variant:
    """The same tag, else the same language, else English, else the first."""

    def distance(variant: Variant) -> int:
        if variant.language.lower() == language.lower():
            return 0
        return {_base(language): 1, "en": 2}.get(_base(variant.language), 3)

    return min(variants, key=distance)
