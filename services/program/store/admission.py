"""How people come into programmes: `admissions`, `applications`, `departures` and `invitation_links`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import begin_with
from chassis.text import terms
from chassis.web.problems import NotFound, StaleVersion
from services.program.domain.admission import Admission, Departures
from services.program.domain.links import InvitationLink, LinkState
from services.program.store.shared import row_of, save_row


class Admissions:
    """What a programme asks of those who come by themselves, and what they answered."""

    def __init__(self, mongo: Mongo) -> None:
        self._admissions = mongo.db["admissions"]
        self._applications = mongo.db["applications"]
        self._departures = mongo.db["departures"]
        self._links = mongo.db["invitation_links"]

    async def ensure_indexes(self) -> None:
        await self._applications.create_index("person_id")
        await self._links.create_indexes(
            [
                IndexModel("token", unique=True),
                IndexModel([("program_id", 1), ("_id", -1)]),
                IndexModel(["program_id", "terms"]),
            ]
        )

    async def get(self, program_id: str, tx: Transaction | None = None) -> Admission:
        """As it was set, or else as it is before anybody set it."""
        row = await self._admissions.find_one({"_id": program_id}, session=tx.session if tx else None)
        return read(Admission, row, program_id=program_id) if row else Admission(program_id)

    async def save(self, before: Admission, after: Admission, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        try:
            await self._admissions.update_one(
                {"_id": after.program_id, "version": before.version},
                {"$set": changes(after)},
                upsert=before.version == 0,
                session=tx.session,
            )
        except DuplicateKeyError:
            raise StaleVersion from None

    async def put_answers(self, program_id: str, person_id: str, answers: Sequence[str], tx: Transaction) -> None:
        row = {"program_id": program_id, "person_id": person_id, "answers": list(answers)}
        await self._applications.update_one(
            {"_id": _application(program_id, person_id)}, {"$set": row}, upsert=True, session=tx.session
        )

    async def forget_answers(self, program_id: str, person_id: str, tx: Transaction) -> None:
        await self._applications.delete_one({"_id": _application(program_id, person_id)}, session=tx.session)

    async def answers(self, program_id: str, people: Iterable[str]) -> dict[str, list[str]]:
        """What those people said who put themselves forward, by id."""
        wanted = {"_id": {"$in": [_application(program_id, one) for one in people]}}
        return {row["person_id"]: list(row["answers"]) async for row in self._applications.find(wanted)}

    async def departures(self, program_id: str, tx: Transaction | None = None) -> Departures:
        row = await self._departures.find_one({"_id": program_id}, session=tx.session if tx else None)
        return read(Departures, row, program_id=program_id) if row else Departures(program_id)

    async def put_departures(self, departures: Departures, tx: Transaction) -> None:
        where = {"_id": departures.program_id}
        fields = {"told": dict(departures.told), "waiting": dict(departures.waiting)}
        await self._departures.update_one(where, {"$set": fields}, upsert=True, session=tx.session)

    async def link(self, program_id: str, id: str, tx: Transaction | None = None) -> InvitationLink:
        """Raises NotFound."""
        return read(InvitationLink, await row_of(self._links, "invitation link", program_id, id, tx))

    async def link_of_token(self, token: str, tx: Transaction | None = None) -> InvitationLink:
        """Raises NotFound, which does not repeat the token."""
        row = await self._links.find_one({"token": token}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("invitation link", "…")
        return read(InvitationLink, row)

    async def links(
        self, program_id: str, query: str | None, state: LinkState | None, after: str | None, limit: int
    ) -> list[InvitationLink]:
        """Links of a programme, the last one first, after an id."""
        where = _links(program_id, query, state)
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._links.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(InvitationLink, row) for row in rows]

    async def count_links(
        self, program_id: str, query: str | None, state: LinkState | None, tx: Transaction | None = None
    ) -> int:
        return await self._links.count_documents(_links(program_id, query, state), session=tx.session if tx else None)

    async def insert_link(self, link: InvitationLink, tx: Transaction) -> None:
        row = {**document(link), "terms": list(terms(link.title))}
        await self._links.insert_one(row, session=tx.session)

    async def save_link(self, before: InvitationLink, after: InvitationLink, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await save_row(self._links, {"_id": before.id}, before.version, changes(after), tx)


def _application(program_id: str, person_id: str) -> str:
    return f"{program_id}:{person_id}"


def _links(program_id: str, query: str | None, state: LinkState | None) -> dict[str, Any]:
    where: dict[str, Any] = {"program_id": program_id}
    if query:
        where["$and"] = begin_with(query)
    if state is not None:
        where["state"] = state
    return where
