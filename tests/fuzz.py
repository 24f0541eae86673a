"""How many requests, orders or values a generated test tries: a few in `make test`, at least HERALD_FUZZ each in
`make fuzz`."""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

WANTED: Final = int(os.environ.get("HERALD_FUZZ", "0"))


def examples(few: int) -> int:
    return max(few, WANTED)


def one_in(few: int, cases: Sequence[T], turn: int) -> Sequence[T]:
    """One in `few` of the cases, others in each turn; all of them in `make fuzz`."""
    return cases if WANTED else cases[turn % few :: few]
