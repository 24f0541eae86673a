"""What the stores of metrics have in common."""

from __future__ import annotations

from pymongo.asynchronous.client_session import AsyncClientSession

Session = AsyncClientSession | None
AT_ONCE = 1000
"""Rows of an answer, which are unpacked in one step of the event loop; by default MongoDB is asked anew after 101."""
