"""Consuming: a record of Kafka comes in, its effect in MongoDB goes out."""

from chassis.consumer.declaration import INBOX, Consumer, Handler, InvalidEvent, Received, Retry

__all__ = ["INBOX", "Consumer", "Handler", "InvalidEvent", "Received", "Retry"]
