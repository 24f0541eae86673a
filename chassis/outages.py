"""Telling an outage from a bug."""

from __future__ import annotations

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from chassis.kafka.producer import Unacknowledged
from chassis.mongo import unreachable
from chassis.web.problems import Overloaded


def is_outage(error: BaseException) -> bool:
    """Whether something outside is away or busy: waiting is right, and nothing is wrong with the work itself."""
    return isinstance(error, KafkaError | RedisError | Unacknowledged | Overloaded | ConnectionError) or unreachable(
        error
    )
