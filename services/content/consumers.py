"""Events of other services."""

from __future__ import annotations

from chassis.consumer import Consumer
from chassis.principals import PrincipalStore


def consumer(principals: PrincipalStore) -> Consumer:
    """People: who may call, what they may do, and which programmes' content they see."""
    return Consumer(principals.events, principals.apply)
