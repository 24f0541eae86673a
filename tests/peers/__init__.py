"""Herald with real counterparts that take long to start: `python -m tests.peers`, a part of `make test-all`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What was tried; `wrong` is empty when it went as it should."""

    name: str
    wrong: str = ""
