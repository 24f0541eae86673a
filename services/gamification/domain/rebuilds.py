"""Adding the ledger up anew, in pieces: where it stands, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["queued", "running", "whole", "done"]
Phase = Literal["ledger", "balances"]
OPEN: tuple[State, ...] = ("queued", "running", "whole")


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One rebuild of a programme's balances.

    First come those who have entries, then those who have a balance without any. `position` is the last of the phase
    who was added up, `expected` how many had a balance when it began.
    Once `whole`, leaderboards are made anew from what was added up, and it is `done`.
    """

    id: str
    program_id: str
    state: State
    requested_by: str
    requested_at: datetime
    phase: Phase = "ledger"
    position: str = ""
    expected: int = 0
    ambassadors: int = 0
    entries: int = 0
    corrected: int = 0
    finished_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def progress(self) -> float:
        """From 0 to 1; ambassadors who came meanwhile are not expected."""
        if not self.open:
            return 1.0
        return round(min(1.0, self.ambassadors / self.expected), 3) if self.expected else 0.0
