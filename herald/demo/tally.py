"""Independent counts of what the demo did: the figures are compared with these."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from herald.demo.history import History


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
    today: date | None = None
    history: History | None = None
    imported: dict[str, int] = field(default_factory=dict)
    objective_id: str = ""
    objectives: int = 0
    lessons: int = 0
    wave_id: str = ""
    cohort: set[str] = field(default_factory=set)
    reasons: str = ""
    decision_shown: bool = False
    lesson_id: str = ""
    learned: set[str] = field(default_factory=set)
    survey_id: str = ""
    recommendations: Counter[int] = field(default_factory=Counter)
    event_id: str = ""
    other_acts: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Who did what beside sharing, by act."""
    newsletter_id: str = ""
    readers: set[str] = field(default_factory=set)
    """The addresses that the newsletter goes to."""

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

    @property
    def enps(self) -> float:
        """Share of those who gave 9 or 10 less that of those who gave 6 at most, in points with one decimal."""
        gave = self.recommendations
        balance = sum(number * ((score >= 9) - (score <= 6)) for score, number in gave.items())
        return round(100 * balance / gave.total(), 1) if gave else 0.0

    def points(self) -> Counter[str]:
        """Points of today's ambassadors under the rules of the template: of today's acts, and of history's on their own
        days; for acts that the template has no rule for, under those that Herald starts with."""
        acts: dict[tuple[str, date | None], Counter[str]] = defaultdict(Counter)
        for one in self.shares:
            acts[one.ambassador, self.today]["clicks"] += self.counted_by_post[one.id]
        for one in self.kept:
            acts[one.ambassador, self.today]["shares"] += 1
        for person in self.learned:
            acts[person, self.today]["lessons"] += 1
        for act, people in self.other_acts.items():
            for person in people:
                acts[person, self.today][act] += 1
        by_email = {email: id for id, email in self.joined.items()}
        for (email, day), counts in (self.history.acts() if self.history else {}).items():
            if email in by_email:
                acts[by_email[email], day].update(counts)
        found: Counter[str] = Counter()
        for (ambassador, _), counts in acts.items():
            found[ambassador] += _points_of_a_day(counts)
        return found


def _points_of_a_day(counts: Mapping[str, int]) -> int:
    of = Counter(counts)
    sharing = min(of["shares"], 3) * 10 + min(of["clicks"] * 2, 40)
    reactions = of["likes"] + 3 * of["comments"] + 5 * of["reposts"]
    others = min(of["referral"], 3) * 15 + of["hire"] * 100 + of["event"] * 10
    return sharing + reactions + min(of["lessons"], 3) * 10 + others
