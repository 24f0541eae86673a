"""Every MongoDB query and index of this service, a module a concern."""

from __future__ import annotations

from chassis.mongo import Mongo
from services.sharing.store.knowledge import Knowledge
from services.sharing.store.posts import Posts
from services.sharing.store.visits import Visits


class Store:
    """All of it: posts, what is known of others' facts, and visits to links."""

    def __init__(self, mongo: Mongo) -> None:
        self.posts = Posts(mongo)
        self.knowledge = Knowledge(mongo)
        self.visits = Visits(mongo)

    async def ensure_indexes(self) -> None:
        await self.posts.ensure_indexes()
        await self.visits.ensure_indexes()
