"""How a process logs."""

from __future__ import annotations

import logging

from chassis.telemetry.logs import RateLimitRepeats


def record(name: str, message: str, at: float) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, (), None)
    made.created = at
    return made


def test_what_aiokafka_repeats_is_written_once_in_ten_seconds() -> None:
    sparing = RateLimitRepeats()
    said = [sparing.filter(record("aiokafka.conn", "Unable connect to %s", 100.0 + tenth / 10)) for tenth in range(150)]
    assert [index for index, one in enumerate(said) if one] == [0, 100]
    assert sparing.filter(record("aiokafka.conn", "another message", 100.0))
    assert all(sparing.filter(record("chassis.kafka", "Kafka did not take %d records", 100.0)) for _ in range(3))
