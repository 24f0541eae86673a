"""Which clicks count: the policy, published in docs/guides/clicks.md.

A click is, in this order:

- ``prefetch``: the browser says that it only looks ahead (`Sec-Purpose`, `Purpose`, `X-Moz`, `X-Purpose`).
- ``bot``: a HEAD request, or a user agent of a robot (see `robots`).
- ``self``: the visitor is the author of the post, seen in Herald the same day.
- ``scanner``: it looks like a browser and acts like a mail scanner: the same visitor made a HEAD request of the link
  less than `HEAD_AROUND` before or after; or the link was shared by e-mail less than `DELIVERY` before; or the visitor
  followed `MANY_LINKS` links of one author within `AT_ONCE`.
- ``repeat``: the same visitor followed the same link, and that counted, less than `REPEAT` before or after.
- ``counted``: everything else.

A visitor is a keyed hash of address, browser and day; in the hour after midnight UTC the hash of the day before is
looked for too. One who objects (`Sec-GPC`, `DNT`) has none: their clicks are `counted`, or `scanner` by the e-mail's
rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar

from services.sharing.redirect.robots import is_robot

Agent = Literal["browser", "bot", "prefetch"]
Place = tuple[str, str]
Fact = TypeVar("Fact")

REPEAT: Final = timedelta(hours=1)
HEAD_AROUND: Final = timedelta(minutes=1)
DELIVERY: Final = timedelta(seconds=30)
MANY_LINKS: Final = 4
AT_ONCE: Final = timedelta(seconds=10)

PURPOSES: Final = ("sec-purpose", "purpose", "x-moz", "x-purpose")
LOOKS_AHEAD: Final = ("prefetch", "prerender", "preview", "instant")


def looks_ahead(purpose: str) -> bool:
    """Whether the value of one of `PURPOSES` says that nobody looks yet."""
    value = purpose.lower()
    return any(word in value for word in LOOKS_AHEAD)


def agent_of(method: str, user_agent: str, purpose: str) -> Agent:
    """What a request says it is."""
    if purpose and looks_ahead(purpose):
        return "prefetch"
    return "bot" if method == "HEAD" or is_robot(user_agent) else "browser"


@dataclass(frozen=True, slots=True)
class Click:
    """A click as it is judged. `visitors` are the visitor's hash and, in the hour after midnight, that of the day
    before; `mailed_at` is when the link was shared, where that was by e-mail."""

    code: str
    author: str
    at: datetime
    agent: str
    visitors: tuple[str, ...] = ()
    mailed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is known of visitors: in whose browsers they came (visitor, person), when a visitor's clicks on a link
    counted and when they made HEAD requests of it (link, visitor), and when they followed which links of an author
    (visitor, author)."""

    own: set[tuple[str, str]] = field(default_factory=set)
    counted: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    followed: dict[tuple[str, str], list[tuple[str, datetime]]] = field(default_factory=lambda: defaultdict(list))


def judge(clicks: Sequence[Click], known: History) -> tuple[list[str], History]:
    """The verdict on each click, and what its visitors are now known for beside `known`.

    Of clicks that are judged together, it does not matter which comes first.
    """
    new = History()
    for click in clicks:
        for visitor in click.visitors:
            if click.agent == "browser":
                new.followed[visitor, click.author].append((click.code, click.at))
            elif click.agent == "bot":
                new.heads[click.code, visitor].append(click.at)
    verdicts = []
    for click in clicks:
        verdict = _verdict(click, known, new)
        if verdict == "counted":
            for visitor in click.visitors:
                new.counted[click.code, visitor].append(click.at)
        verdicts.append(verdict)
    return verdicts, new


def _verdict(click: Click, known: History, new: History) -> str:
    if click.agent != "browser":
        return click.agent
    if any((visitor, click.author) in known.own for visitor in click.visitors):
        return "self"
    if _is_scanner(click, known, new):
        return "scanner"
    places = [(click.code, visitor) for visitor in click.visitors]
    return "repeat" if any(abs(click.at - at) < REPEAT for at in _of(places, known.counted, new.counted)) else "counted"


def _is_scanner(click: Click, known: History, new: History) -> bool:
    if click.mailed_at is not None and timedelta() <= click.at - click.mailed_at < DELIVERY:
        return True
    places = [(click.code, visitor) for visitor in click.visitors]
    if any(abs(click.at - at) < HEAD_AROUND for at in _of(places, known.heads, new.heads)):
        return True
    followed = _of([(visitor, click.author) for visitor in click.visitors], known.followed, new.followed)
    return len({code for code, at in followed if abs(click.at - at) < AT_ONCE}) >= MANY_LINKS


def _of(places: Iterable[Place], *facts: Mapping[Place, list[Fact]]) -> list[Fact]:
    return [fact for some in facts for place in places for fact in some.get(place, ())]
