"""One line of the final comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure from four sources; `store` is its service's API, `shown` the dashboard, the hub or a mail."""

    name: str
    done: float
    topics: float
    store: float
    shown: float

    @property
    def equal(self) -> bool:
        return self.done == self.topics == self.store == self.shown

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "equal": self.equal}
