"""Persons with their memberships, one document each, and the record of consents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo import IndexModel, InsertOne, UpdateOne
from pymongo.results import BulkWriteResult

from chassis.ids import new_id
from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, read
from chassis.mongo.search import MAX_COUNTED, begin_with
from chassis.principals import Principal
from chassis.text import terms
from chassis.web.problems import NotFound, StaleVersion
from services.program.domain.imports import Row
from services.program.domain.people import Filter, Person

_UNIQUE = ("email", "external_id", "accounts")
_SPARSE = (*_UNIQUE, "devices", "code")


class People:
    """The collections `people` and `consents`."""

    def __init__(self, mongo: Mongo) -> None:
        self._people = mongo.db["people"]
        self._consents = mongo.db["consents"]

    async def ensure_indexes(self) -> None:
        await self._people.create_indexes(
            [
                *(IndexModel(name, unique=True, sparse=True) for name in _UNIQUE),
                IndexModel(["sort_name", "_id"]),
                IndexModel("terms"),
                IndexModel(["country", "team", "sort_name", "_id"]),
                IndexModel(["team", "sort_name", "_id"]),
                IndexModel(["leader", "sort_name", "_id"], partialFilterExpression={"leader": True}),
                IndexModel(["grants", "sort_name", "_id"]),
                IndexModel(["program_grants.role", "sort_name", "_id"]),
                IndexModel(["memberships.program_id", "memberships.status", "sort_name", "_id"]),
                IndexModel("memberships.batch_id", sparse=True),
                IndexModel("memberships.link_id", sparse=True),
                IndexModel("devices.account", unique=True, sparse=True),
                IndexModel("devices.ends_at", sparse=True),
                IndexModel("code.hash", unique=True, sparse=True),
            ]
        )
        await self._consents.create_index(["person_id", "program_id"])

    async def find(self, account: str) -> Principal | None:
        """The caller of an account, for the chassis."""
        row = await self._people.find_one({"$or": [{"accounts": account}, {"devices.account": account}]})
        return _principal(read(Person, row)) if row else None

    async def find_by_account(self, account: str, tx: Transaction) -> Person | None:
        row = await self._people.find_one({"accounts": account}, session=tx.session)
        return read(Person, row) if row else None

    async def find_by_device(self, account: str, tx: Transaction) -> Person | None:
        row = await self._people.find_one({"devices.account": account}, session=tx.session)
        return read(Person, row) if row else None

    async def find_by_code(self, hash: str, tx: Transaction) -> Person | None:
        row = await self._people.find_one({"code.hash": hash}, session=tx.session)
        return read(Person, row) if row else None

    async def with_ended_access(self, now: datetime, limit: int) -> list[Person]:
        """Who has a device that has ended."""
        rows = await self._people.find({"devices.ends_at": {"$lte": now}}, limit=limit).to_list()
        return [read(Person, row) for row in rows]

    async def find_by_email(self, email: str, tx: Transaction) -> Person | None:
        row = await self._people.find_one({"email": email}, session=tx.session)
        return read(Person, row) if row else None

    async def get(self, id: str, tx: Transaction | None = None) -> Person:
        """Raises NotFound."""
        row = await self._people.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("person", id)
        return read(Person, row)

    async def present_id(self, id: str, tx: Transaction | None = None) -> str:
        """Who somebody is now: another one, where they were merged."""
        row = await self._people.find_one({"_id": id}, {"merged_into": 1}, session=tx.session if tx else None)
        return str(row.get("merged_into") or id) if row else id

    async def get_many(self, ids: Iterable[str], tx: Transaction | None = None) -> list[Person]:
        cursor = self._people.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return [read(Person, row) for row in await cursor.to_list()]

    async def named(self, names: Iterable[str]) -> list[Person]:
        """Everybody who has one of the names as external id or, in lower case, as e-mail address."""
        wanted = list(names)
        either = [{"external_id": {"$in": wanted}}, {"email": {"$in": [name.lower() for name in wanted]}}]
        return [read(Person, row) for row in await self._people.find({"$or": either}).to_list()]

    async def matching(self, rows: Iterable[Row], tx: Transaction | None = None) -> list[Person]:
        """Everybody who has an e-mail address or external id of the rows."""
        values = [row.values for row in rows]
        either = [
            {name: {"$in": wanted}}
            for name in ("email", "external_id")
            if (wanted := [one[name] for one in values if name in one])
        ]
        if not either:
            return []
        cursor = self._people.find({"$or": either}, session=tx.session if tx else None)
        return [read(Person, row) for row in await cursor.to_list()]

    async def page(self, wanted: Filter, after: Sequence[str] | None, limit: int) -> list[Person]:
        """People by name, after a position: sort name and id of the last one of the page before."""
        where = _where(wanted)
        if after is not None:
            name, id = after
            where["$and"].append({"$or": [{"sort_name": {"$gt": name}}, {"sort_name": name, "_id": {"$gt": id}}]})
        cursor = self._people.find(where, sort=[("sort_name", 1), ("_id", 1)], limit=limit)
        return [read(Person, row) for row in await cursor.to_list()]

    async def count(self, wanted: Filter) -> int:
        """How many people a list by name has; counting ends at 10,000."""
        return await self._people.count_documents(_where(wanted), limit=MAX_COUNTED)

    async def with_grants(self, grants: Sequence[str], limit: int) -> list[Person]:
        """Those with the company who hold one of the roles, by name."""
        held = {"$in": list(grants)}
        where = {"$or": [{"grants": held}, {"program_grants.role": held}], "active": True}
        cursor = self._people.find(where, sort=[("sort_name", 1), ("_id", 1)], limit=limit)
        return [read(Person, row) for row in await cursor.to_list()]

    async def of_batch(self, program_id: str, batch_id: str, tx: Transaction) -> list[Person]:
        """Whom one act invited, as far as nothing else invited them since."""
        where = {"memberships": {"$elemMatch": {"batch_id": batch_id, "program_id": program_id}}}
        return [read(Person, row) for row in await self._people.find(where, session=tx.session).to_list()]

    async def leaders(self, program_id: str, limit: int) -> list[Person]:
        """Leaders with the company who take part in a programme."""
        joined = {"$elemMatch": {"program_id": program_id, "status": "joined"}}
        where = {"leader": True, "active": True, "memberships": joined}
        return [read(Person, row) for row in await self._people.find(where, limit=limit).to_list()]

    async def write(
        self, tx: Transaction, *, created: Sequence[Person] = (), changed: Sequence[tuple[Person, Person]] = ()
    ) -> None:
        """Write several persons. Raises StaleVersion if one has changed meanwhile."""
        writes: list[InsertOne[Document] | UpdateOne] = [
            UpdateOne({"_id": before.id, "version": before.version}, _change(after)) for before, after in changed
        ]
        writes += [InsertOne(person_row(person)) for person in created]
        if not writes:
            return
        result: BulkWriteResult = await self._people.bulk_write(writes, session=tx.session, ordered=True)
        if result.matched_count != len(changed):
            raise StaleVersion("A person was changed in the meantime.")

    async def record_consent(self, person: Person, program_id: str, version: int, tx: Transaction) -> None:
        """Record permanently that a person accepted a version."""
        record = {"_id": new_id(), "person_id": person.id, "program_id": program_id, "version": version, "at": tx.now}
        await self._consents.insert_one(record, session=tx.session)


def position(person: Person) -> list[str]:
    """The position of a person in a list by name."""
    return [_sort_name(person), person.id]


def _sort_name(person: Person) -> str:
    return " ".join(terms(person.name))


def _where(wanted: Filter) -> dict[str, Any]:
    where: dict[str, Any] = {"$and": [{}]}
    for name in ("country", "team"):
        if (value := getattr(wanted, name)) is not None:
            where[name] = value
    if wanted.role == "ambassador":
        where["memberships.status"] = "joined"
    elif wanted.role is not None:
        of_program = {"role": wanted.role, **({"program_id": wanted.program_id} if wanted.program_id else {})}
        where["$and"].append({"$or": [{"grants": wanted.role}, {"program_grants": {"$elemMatch": of_program}}]})
    membership = {name: value for name in ("program_id", "status") if (value := getattr(wanted, name)) is not None}
    if membership:
        where["memberships"] = {"$elemMatch": membership}
    if wanted.leaders_only:
        where |= {"leader": True, "active": True}
    if wanted.query is not None:
        where["$and"] += begin_with(wanted.query)
    return where


def person_row(person: Person) -> Document:
    """The whole row of a person."""
    return {"_id": person.id, **_change(person)["$set"]}


def _change(person: Person) -> dict[str, Document]:
    """The update that makes a row this person's."""
    state = {**changes(person), "terms": list(person.terms), "sort_name": _sort_name(person)}
    # Absent rather than null or empty: the unique indexes are sparse.
    absent = {name: state.pop(name) for name in _SPARSE if not state[name]}
    return {"$set": state, **({"$unset": dict.fromkeys(absent, "")} if absent else {})}


def _principal(person: Person) -> Principal:
    return Principal(
        id=person.id,
        roles=frozenset(person.roles),
        active=person.active,
        country=person.country,
        team=person.team,
        locale=person.locale,
        level=person.level,
        site=person.site,
        leader=person.leader,
        has_email=person.email is not None,
        hidden_from_rankings=person.hidden_from_rankings,
        hidden_from_statistics=person.hidden_from_statistics,
        memberships=person.joined,
        program_roles=frozenset(person.program_grants),
    )
