"""Events of other services."""

from __future__ import annotations

from chassis.consumer import Consumer
from chassis.directory import Directory


def consumer(directory: Directory) -> Consumer:
    """People: who may call, what they may do, and which programmes' content they see."""
    return Consumer(directory.events, directory.apply)
