"""Two drivers behind `chassis.mongo`: the metrics worker with motor (here the floor) and with PyMongo's own client.

motor is no dependency of Herald: install it to compare (`uv pip install motor`). Not part of `make bench`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.consuming import KNOWN, PACKAGES, learn, reading
from bench.engagements import Log
from bench.frame import Bench, Comparison, Size
from bench.harness import Harness

SERVICE = "metrics"


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    log = Log(harness, size.events)

    def rate(module: str) -> float:
        log.begin_anew(SERVICE, keep=KNOWN)
        with reading(harness, log, SERVICE, module=module):
            return log.rate(SERVICE)

    try:
        learn(harness, log, SERVICE)
        yield Comparison(herald=partial(rate, "herald"), floor=partial(rate, "bench.with_motor"))
    finally:
        log.close()


BENCH = Bench(
    name="drivers",
    counted="engagements to figures with PyMongo's asynchronous client: with motor",
    unit="events/s",
    aim=1.0,
    size=Size(rounds=3, events=60_000),
    packages=(*PACKAGES, "motor"),
    open=open_,
)
