"""A service's database: the client, transactions with their outbox rows, leases."""

from chassis.mongo.client import Actor, Document, Mongo, Transaction, duplicate, pieces, unreachable

__all__ = ["Actor", "Document", "Mongo", "Transaction", "duplicate", "pieces", "unreachable"]
