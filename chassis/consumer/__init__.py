"""Consuming: a record of Kafka comes in, its effect in MongoDB goes out."""

from chassis.consumer.declaration import INBOX, Consumer, InvalidEvent, Retry, Route, on
from chassis.consumer.decoder import Received

__all__ = ["INBOX", "Consumer", "InvalidEvent", "Received", "Retry", "Route", "on"]
