"""What is counted, and the figures that follow from the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from herald_contracts import words

OTHER = "other"
VERDICTS = (*words.VERDICTS, OTHER)
"""Of clicks; `other` stands for what this version does not know."""
ENGAGEMENTS = words.ENGAGEMENT_KINDS
REACTIONS = ("like", "comment", "repost")
UNMEASURED = ("estimated", "potential")
IMPORTED = "imported"


def fields_of(kind: str, verdict: str, measure: str) -> tuple[str, ...]:
    """The flat names under which an engagement is counted; none for one that no figure takes in. What was imported
    counts like what was measured, and apart too.

    Words that this version does not know are in no figure, but that a click for whatever reason not counted is raw.
    """
    if kind not in ENGAGEMENTS or measure not in ("measured", IMPORTED, *UNMEASURED):
        return ()
    if measure in UNMEASURED:
        return (f"{kind}_{measure}",) if verdict == "counted" else ()
    if kind != "click" and verdict != "counted":
        return ()
    name = f"click_{verdict if verdict in VERDICTS else OTHER}" if kind == "click" else kind
    return (name, f"{kind}_{IMPORTED}") if measure == IMPORTED else (name,)


@dataclass(slots=True)
class Counts:
    """Additive counts of any slice: shares, clicks by verdict, other engagements by kind (counted ones).

    Only what was measured or imported; `others` holds apart what was estimated or is potential, as `like_estimated`,
    and again what was imported, as `like_imported` or `share_imported`.
    """

    shares: int = 0
    clicks: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Counts) -> None:
        self.shares += other.shares
        self.clicks.update(other.clicks)
        self.others.update(other.others)

    def fields(self) -> dict[str, int]:
        """As flat names with numbers that are not 0: `shares`, `click.counted`, `like`, ..."""
        flat = {"shares": self.shares}
        flat.update({f"click_{verdict}": number for verdict, number in self.clicks.items()})
        flat.update(self.others)
        return {name: number for name, number in flat.items() if number}

    @classmethod
    def of_fields(cls, flat: Mapping[str, int]) -> Counts:
        found = cls(shares=flat.get("shares", 0))
        for verdict in VERDICTS:
            if number := flat.get(f"click_{verdict}", 0):
                found.clicks[verdict] = number
        for kind in OTHERS:
            if number := flat.get(kind, 0):
                found.others[kind] = number
        return found

    @property
    def clicks_raw(self) -> int:
        return sum(self.clicks.values())

    @property
    def clicks_counted(self) -> int:
        return self.clicks["counted"]

    @property
    def engagements(self) -> int:
        """Counted clicks and reactions; impressions are not engagement."""
        return self.clicks_counted + sum(self.others[kind] for kind in REACTIONS)

    def imported(self, *kinds: str) -> int:
        """How much of these kinds was imported."""
        return sum(self.others[f"{kind}_{IMPORTED}"] for kind in kinds)

    def unmeasured(self, measure: str) -> int:
        """Engagements that are `estimated` or `potential`; never part of `engagements`."""
        return sum(self.others[f"{kind}_{measure}"] for kind in ("click", *REACTIONS))


OTHERS = (
    *ENGAGEMENTS[1:],
    *(f"{kind}_{measure}" for kind in ENGAGEMENTS for measure in (*UNMEASURED, IMPORTED)),
    f"share_{IMPORTED}",
)
FIELDS = ("shares", *(f"click_{verdict}" for verdict in VERDICTS), *OTHERS)


def ratio(part: float, whole: float) -> float | None:
    """`part / whole`, rounded to 6 places; None where there is nothing to be a part of."""
    return round(part / whole, 6) if whole else None


def shown_apart(sizes: Mapping[str | None, int], least: int) -> set[str | None]:
    """The groups of a breakdown that have at least `least` people and so can be shown. The others are put together,
    with the smallest of the large ones where together they are still fewer: what is put together gives nobody away
    either."""
    large: set[str | None] = {group for group, size in sizes.items() if size >= least and group is not None}
    together = sum(size for group, size in sizes.items() if group not in large)
    for group in sorted(large, key=lambda one: (sizes[one], str(one))):
        if len(large) == len(sizes) or together >= least:
            break
        large.remove(group)
        together += sizes[group]
    return large
