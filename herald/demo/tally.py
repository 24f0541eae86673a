"""What the story did, as its own book: the figures are compared with this, never taken from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Share:
    """One post that the demo made."""

    id: str
    ambassador: str
    network: str
    short_url: str
    content_id: str


@dataclass(slots=True)
class Tally:
    """Everything that was done, counted where it was done."""

    program_id: str = ""
    people: int = 0
    invited: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict)
    leaders: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    submitted: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    shares: list[Share] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    clicks: Counter[str] = field(default_factory=Counter)
    counted_by_post: Counter[str] = field(default_factory=Counter)
    raw_by_post: Counter[str] = field(default_factory=Counter)
    trace_id: str = ""

    @property
    def kept(self) -> list[Share]:
        """The posts that were not taken back."""
        return [share for share in self.shares if share.id not in self.removed]

    @property
    def active(self) -> set[str]:
        return {share.ambassador for share in self.kept}

    def by_network(self) -> Counter[str]:
        return Counter(share.network for share in self.kept)

    def counted_by_network(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for share in self.shares:
            found[share.network] += self.counted_by_post[share.id]
        return found

    def points(self, *, share: int, share_cap: int, click: int, click_cap: int) -> Counter[str]:
        """Points by ambassador under the published rules; all acts are of one day."""
        shares: Counter[str] = Counter(one.ambassador for one in self.kept)
        clicks: dict[str, int] = defaultdict(int)
        for one in self.shares:
            clicks[one.ambassador] += self.counted_by_post[one.id]
        return Counter(
            {
                ambassador: min(shares[ambassador] * share, share_cap) + min(clicks[ambassador] * click, click_cap)
                for ambassador in {*shares, *clicks}
            }
        )
