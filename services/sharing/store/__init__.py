"""Every MongoDB query and index of this service, a module a concern."""

from __future__ import annotations

from chassis.mongo import Mongo
from services.sharing.store.guardrails import GuardrailsStore
from services.sharing.store.posts import Posts
from services.sharing.store.projections import Projections
from services.sharing.store.visits import Visits


class Store:
    """All of it: posts, guardrails, projections of others' facts, and visits to links."""

    def __init__(self, mongo: Mongo) -> None:
        self.posts = Posts(mongo)
        self.guardrails = GuardrailsStore(mongo)
        self.projections = Projections(mongo)
        self.visits = Visits(mongo)

    async def ensure_indexes(self) -> None:
        await self.posts.ensure_indexes()
        await self.projections.ensure_indexes()
        await self.visits.ensure_indexes()
