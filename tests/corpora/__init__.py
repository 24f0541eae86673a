"""How Herald does on the world's own data: published collections that nobody here wrote, got from packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MISSES: Final = 5
"""Examples of misses that are shown."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a collection came out right, and which share of it should.

    `name` says what was counted, `aim` is from 0 to 1, `misses` are examples of what did not come out right.
    """

    name: str
    found: int
    total: int
    aim: float
    misses: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """From 0 to 1; 0 for an empty collection, so that data that was not found is no success."""
        return self.found / self.total if self.total else 0.0

    @property
    def reached(self) -> bool:
        return self.total > 0 and self.value >= self.aim

    def __str__(self) -> str:
        return f"{self.name}: {self.found:,} of {self.total:,} = {self.value:.2%} (aim {self.aim:.1%})"
