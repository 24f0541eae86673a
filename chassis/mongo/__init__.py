"""A service's database: the client, transactions with their outbox rows, leases."""

from chassis.mongo.client import Document, Mongo, Transaction, duplicate, unreachable

__all__ = ["Document", "Mongo", "Transaction", "duplicate", "unreachable"]
