"""Bounds of time: exact where a test runs alone, wider beside others, where what is measured waits for a core."""

import os
from typing import Final

BESIDE_OTHERS: Final = 3.0


def bound(seconds: float) -> float:
    return seconds * (BESIDE_OTHERS if "PYTEST_XDIST_WORKER" in os.environ else 1.0)
