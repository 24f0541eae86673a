"""How many requests, orders or values a generated test tries: a few in `make test`, at least HERALD_FUZZ each in
`make fuzz`."""

import os
from typing import Final

WANTED: Final = int(os.environ.get("HERALD_FUZZ", "0"))


def examples(few: int) -> int:
    return max(few, WANTED)
