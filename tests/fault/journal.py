"""What the outside world knows: what was asked of Herald, what it answered, and what stayed without an answer.

Written by the workload, read by the checker. Every act carries a mark of its own (in a caption, a referrer, a time
or an id), so that the checker can say which one is missing or was applied twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["applied", "dead-lettered", "ignored"]
ANY_FATE: frozenset[Fate] = frozenset(("applied", "dead-lettered", "ignored"))


@dataclass(slots=True)
class Share:
    """A tap on "share". `posts` are the ids that the answers named; `mark` stands in the caption."""

    mark: str
    person: str
    posts: set[str] = field(default_factory=set)
    refused: str = ""


@dataclass(slots=True)
class Removal:
    """A share taken back; `answered` once Herald said so."""

    post: str
    answered: bool = False


@dataclass(slots=True)
class Click:
    """A visit to a short link; `mark` is the referrer. `verdict` where it can be only one."""

    mark: str
    code: str
    verdict: str | None
    answered: bool = False


@dataclass(slots=True)
class Tally:
    """A figure that another system reported. `at` (RFC 3339, milliseconds) marks it on its post."""

    external_id: str
    post: str
    kind: str
    quantity: int
    at: str
    answered: bool = False


@dataclass(slots=True)
class Choice:
    """A person's preference, set to `value`. Those of one person come one after the other."""

    person: str
    value: bool
    answered: bool = False


@dataclass(slots=True)
class Wording:
    """Other words for an item: `mark` stands in its title; `version` is what the answer said."""

    mark: str
    content: str
    version: int | None = None


@dataclass(slots=True)
class NewItem:
    """A new item: `mark` stands in its title, `items` are the ids that the answers named."""

    mark: str
    items: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Produced:
    """A record that the workload itself put on a topic. `fates` are the ends that are right for it, `rule` what a
    dead letter must say; `copies` how often it was sent, `acked` whether Kafka confirmed it once."""

    id: str
    topic: str
    kind: str
    fates: frozenset[Fate] = frozenset(("applied",))
    rules: frozenset[str] = frozenset()
    copies: int = 0
    acked: bool = False
    place: tuple[str, int, int] | None = None


@dataclass(slots=True)
class Journal:
    """Everything that was asked, in order."""

    shares: list[Share] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    wordings: list[Wording] = field(default_factory=list)
    new_items: list[NewItem] = field(default_factory=list)
    produced: list[Produced] = field(default_factory=list)
    repeated: dict[str, int] = field(default_factory=dict)
    """How often an event of Herald's own was published again on purpose, by its id."""

    people: dict[str, int] = field(default_factory=dict)
    """The revision of each person from which on each change is told with its revision."""

    @property
    def asked(self) -> int:
        """How many acts there were."""
        return len(self.shares) + len(self.wordings) + len(self.new_items) + len(self.produced) + len(self._told())

    @property
    def unanswered(self) -> int:
        """How many of them stayed without an answer."""
        silent = sum(1 for one in self._told() if not one.answered)
        silent += sum(1 for one in self.shares if not one.posts and not one.refused)
        silent += sum(1 for one in self.wordings if one.version is None)
        silent += sum(1 for one in self.new_items if not one.items)
        return silent + sum(1 for one in self.produced if not one.acked)

    def _told(self) -> list[Removal | Click | Tally | Choice]:
        return [*self.removals, *self.clicks, *self.tallies, *self.choices]
