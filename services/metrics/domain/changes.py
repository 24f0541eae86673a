"""By what one transaction moves the figures of a programme: what a push adds to the one before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


def _counts() -> dict[tuple[str, str], dict[str, int]]:
    return defaultdict(lambda: defaultdict(int))


@dataclass(slots=True)
class FigureChange:
    """What one transaction adds, no larger than what happened in it.

    - `counts`: by (day, network), the fields of `Counts`
    - `contents`: by (day, item), `shares` and `click_counted`
    - `shares`: by (day, ambassador), shares that came and went
    - `acts`: by (day, act), acts beside sharing that came and went
    - `lessons`: when lessons were completed, in seconds since 1970
    - `people`: whose enrolment changed, or who completed the first-day path
    - `reload`: something rare changed that only reading anew can tell (objective, rates, what can be shared)
    """

    counts: dict[tuple[str, str], dict[str, int]] = field(default_factory=_counts)
    contents: dict[tuple[str, str], dict[str, int]] = field(default_factory=_counts)
    shares: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    acts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    lessons: list[float] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    reload: bool = False
    traceparent: str | None = None

    def add(self, where: Mapping[str, Any], name: str, number: int) -> None:
        """Count `number` under the field `name`, for the day, network, item and ambassador that `where` names."""
        self.counts[where["day"], where["network"]][name] += number
        if name in ("shares", "click_counted"):
            self.contents[where["day"], where["content_id"]][name] += number
        if name == "shares":
            self.shares[where["day"], where["ambassador_id"]] += number

    def to_row(self) -> dict[str, Any]:
        """As a document."""
        return {
            "counts": _flat(self.counts),
            "contents": _flat(self.contents),
            "shares": [[*key, number] for key, number in self.shares.items() if number],
            "acts": [[*key, number] for key, number in self.acts.items() if number],
            "lessons": self.lessons,
            "people": sorted(self.people),
            "reload": self.reload,
            "traceparent": self.traceparent,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> FigureChange:
        return cls(
            counts={(day, network): fields for day, network, fields in row["counts"]},
            contents={(day, content): fields for day, content, fields in row["contents"]},
            shares={(day, person): number for day, person, number in row["shares"]},
            acts={(day, act): number for day, act, number in row.get("acts", ())},
            lessons=list(row.get("lessons", ())),
            people=set(row["people"]),
            reload=row["reload"],
            traceparent=row["traceparent"],
        )


def _flat(counts: Mapping[tuple[str, str], Mapping[str, int]]) -> list[list[Any]]:
    found: Iterable[tuple[tuple[str, str], dict[str, int]]] = (
        (key, {name: number for name, number in fields.items() if number}) for key, fields in counts.items()
    )
    return [[*key, fields] for key, fields in found if fields]
