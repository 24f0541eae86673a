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
from chassis.mongo.search import begin_with
from chassis.principals import Principal
from chassis.text import match_key, terms
from chassis.web.problems import NotFound, StaleVersion
from services.program.domain import fields
from services.program.domain.diversity import Cell
from services.program.domain.imports import Row
from services.program.domain.people import Filter, Group, Groups, Person, Segment, Status
from services.program.domain.waves import Criteria, Wave
from services.program.store.waves import MEMBERS

_GROUPED = {"country": fields.UNKNOWN_COUNTRY, "team": fields.UNKNOWN_TEAM, "site": None}
MAX_COUNTED = 10_000
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

    async def invitable(self, program_id: str, segment: Segment, limit: int, tx: Transaction) -> list[Person]:
        """People of a segment who were never asked or part of the programme, oldest first."""
        where = _of_segment(segment) | {"active": True, "memberships.program_id": {"$ne": program_id}}
        cursor = self._people.find(where, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [read(Person, row) for row in await cursor.to_list()]

    async def of_batch(self, program_id: str, batch_id: str, tx: Transaction) -> list[Person]:
        """Whom one act invited, as far as nothing else invited them since."""
        where = {"memberships": {"$elemMatch": {"batch_id": batch_id, "program_id": program_id}}}
        return [read(Person, row) for row in await self._people.find(where, session=tx.session).to_list()]

    async def headcount(self) -> int:
        """How many people are with the company, as far as Herald knows them."""
        return await self._people.count_documents({"active": True})

    async def count_ambassadors(self, program_id: str, segment: Segment) -> int:
        """How many people of a segment take part in a programme."""
        joined = {"$elemMatch": {"program_id": program_id, "status": "joined"}}
        return await self._people.count_documents({**_of_segment(segment), "memberships": joined})

    async def recipients(
        self, program_id: str, segment: Segment, after: str | None, limit: int, tx: Transaction
    ) -> list[Person]:
        """Ambassadors of a segment who have an address, by their ids, after one."""
        where = _recipients(program_id, segment)
        if after is not None:
            where["_id"] = {"$gt": after}
        cursor = self._people.find(where, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [read(Person, row) for row in await cursor.to_list()]

    async def count_recipients(self, program_id: str, segment: Segment, tx: Transaction | None = None) -> int:
        """How many ambassadors of a segment have an address."""
        where = _recipients(program_id, segment)
        return await self._people.count_documents(where, session=tx.session if tx else None)

    async def calendars_of_recipients(self, program_id: str, segment: Segment) -> dict[str, int]:
        """Whose holidays the ambassadors of a segment have who have an address, with how many they are."""
        pipeline: list[Document] = [
            {"$match": _recipients(program_id, segment)},
            {"$group": {"_id": {"$ifNull": ["$holidays", "$country"]}, "people": {"$sum": 1}}},
        ]
        return {row["_id"]: int(row["people"]) async for row in await self._people.aggregate(pipeline)}

    async def for_cohort(
        self, program_id: str, criteria: Criteria, after: str, limit: int, tx: Transaction
    ) -> list[str]:
        """Ids of ambassadors who meet the criteria of a wave, in their order, after one."""
        where = {"$and": [_of_criteria(program_id, criteria), {"_id": {"$gt": after}}]}
        cursor = self._people.find(where, {"_id": 1}, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [row["_id"] for row in await cursor.to_list()]

    async def count_for_cohort(self, wave: Wave, tx: Transaction | None = None) -> int:
        """How many ambassadors meet the criteria and are in no other cohort; counting ends at 10,000."""
        place = {"$concat": [wave.program_id, "|", "$_id"]}
        elsewhere = {"$elemMatch": {"wave_id": {"$ne": wave.id}}}
        stages: list[dict[str, Any]] = [
            {"$match": _of_criteria(wave.program_id, wave.criteria)},
            {"$project": {"place": place}},
            {"$lookup": {"from": MEMBERS, "localField": "place", "foreignField": "_id", "as": "places"}},
            {"$match": {"places": {"$not": elsewhere}}},
            {"$limit": MAX_COUNTED},
            {"$count": "n"},
        ]
        found = await (await self._people.aggregate(stages, session=tx.session if tx else None)).to_list()
        return found[0]["n"] if found else 0

    async def count_outside(self, program_id: str, waves: Sequence[str], most: int, tx: Transaction) -> int:
        """How many ambassadors are in the cohort of none of these waves; counting ends at `most`."""
        stages: list[dict[str, Any]] = [
            {"$match": {"memberships": {"$elemMatch": {"program_id": program_id, "status": "joined"}}}},
            {"$project": {"place": {"$concat": [program_id, "|", "$_id"]}}},
            {"$lookup": {"from": MEMBERS, "localField": "place", "foreignField": "_id", "as": "places"}},
            {"$match": {"places": {"$not": {"$elemMatch": {"wave_id": {"$in": list(waves)}}}}}},
            {"$limit": most},
            {"$count": "n"},
        ]
        found = await (await self._people.aggregate(stages, session=tx.session)).to_list()
        return found[0]["n"] if found else 0

    async def count_segment(self, program_id: str, segment: Segment, tx: Transaction) -> tuple[dict[str, int], int]:
        """How many people of a segment are not invited for which reason, and how many can be."""
        mine = {"$filter": {"input": "$memberships", "cond": {"$eq": ["$$this.program_id", program_id]}}}
        status = {"$ifNull": [{"$first": {"$map": {"input": mine, "in": "$$this.status"}}}, None]}
        pipeline: list[dict[str, Any]] = [
            {"$match": _of_segment(segment)},
            {"$group": {"_id": {"$cond": ["$active", status, "inactive"]}, "n": {"$sum": 1}}},
        ]
        rows = await self._people.aggregate(pipeline, session=tx.session)
        found = {row["_id"]: int(row["n"]) async for row in rows}
        free = found.pop(None, 0)
        reasons = {"invited": "already_invited", "joined": "already_joined"}
        return {reasons.get(status, status): count for status, count in found.items()}, free

    async def groups(self, program_id: str | None, most: int) -> Groups:
        """Countries, teams and sites with the numbers of their people and of the programme's ambassadors: the `most`
        with the most people, by name."""
        mine = {"$and": [{"$eq": ["$$this.program_id", program_id]}, {"$eq": ["$$this.status", "joined"]}]}
        joined = {"$size": {"$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": mine}}}
        facets = {
            name: [
                {"$match": {name: {"$nin": [None, unknown]}}},
                {"$group": {"_id": f"${name}", "people": {"$sum": 1}, "ambassadors": {"$sum": joined}}},
                {"$sort": {"people": -1, "_id": 1}},
                {"$limit": most},
            ]
            for name, unknown in _GROUPED.items()
        }
        [found] = await (await self._people.aggregate([{"$match": {"active": True}}, {"$facet": facets}])).to_list()
        return Groups(*(_groups(found[name]) for name in _GROUPED))

    async def diversity(self, program_id: str) -> dict[str, list[Cell]]:
        """Everybody with the company by what they do, their level, country and site, with the programme's ambassadors
        and those who were never asked."""
        own = {
            "$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": {"$eq": ["$$this.program_id", program_id]}}
        }
        status = {"$first": {"$map": {"input": own, "in": "$$this.status"}}}
        counted = {
            "people": {"$sum": 1},
            "ambassadors": {"$sum": {"$cond": [{"$eq": [status, "joined"]}, 1, 0]}},
            "free": {"$sum": {"$cond": [{"$eq": [{"$ifNull": [status, None]}, None]}, 1, 0]}},
        }
        fields = {"jobs": "job", "levels": "level", "countries": "country", "sites": "site"}
        facets = {
            name: [{"$group": {"_id": {"name": f"${field}", **_within(name)}, **counted}}]
            for name, field in fields.items()
        }
        [found] = await (await self._people.aggregate([{"$match": {"active": True}}, {"$facet": facets}])).to_list()
        return {name: _cells(found[name], _GROUPED["country"]) for name in fields}

    async def count_leaders(self, program_id: str) -> dict[str, int]:
        """How many leaders with the company have each status in a programme, `none` or `paused`."""
        own = {
            "$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": {"$eq": ["$$this.program_id", program_id]}}
        }
        pipeline: list[dict[str, Any]] = [
            {"$match": {"leader": True, "active": True}},
            {"$project": {"own": {"$first": own}}},
            {
                "$group": {
                    "_id": {"$ifNull": ["$own.status", "none"]},
                    "n": {"$sum": 1},
                    "paused": {"$sum": {"$cond": [{"$ifNull": ["$own.paused_since", False]}, 1, 0]}},
                }
            },
        ]
        rows = await (await self._people.aggregate(pipeline)).to_list()
        return {**{row["_id"]: row["n"] for row in rows}, "paused": sum(row["paused"] for row in rows)}

    async def leaders(self, program_id: str, limit: int) -> list[Person]:
        """Leaders with the company who take part in a programme."""
        joined = {"$elemMatch": {"program_id": program_id, "status": "joined"}}
        where = {"leader": True, "active": True, "memberships": joined}
        return [read(Person, row) for row in await self._people.find(where, limit=limit).to_list()]

    async def count_of_links(self, program_id: str, links: Sequence[str]) -> dict[str, dict[Status, int]]:
        """How many people followed each link, by what they are in the programme now."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"memberships.link_id": {"$in": list(links)}}},
            {"$unwind": "$memberships"},
            {"$match": {"memberships.program_id": program_id, "memberships.link_id": {"$in": list(links)}}},
            {"$group": {"_id": {"link": "$memberships.link_id", "status": "$memberships.status"}, "n": {"$sum": 1}}},
        ]
        found: dict[str, dict[Status, int]] = {}
        async for row in await self._people.aggregate(pipeline):
            found.setdefault(row["_id"]["link"], {})[row["_id"]["status"]] = row["n"]
        return found

    async def count_by_status(self, program_id: str) -> dict[Status, int]:
        """How many people have each status in a programme."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"memberships.program_id": program_id}},
            {"$unwind": "$memberships"},
            {"$match": {"memberships.program_id": program_id}},
            {"$group": {"_id": "$memberships.status", "n": {"$sum": 1}}},
        ]
        return {row["_id"]: row["n"] async for row in await self._people.aggregate(pipeline)}

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


def _groups(rows: Iterable[Document]) -> tuple[Group, ...]:
    found = [Group(row["_id"], row["people"], row["ambassadors"]) for row in rows]
    return tuple(sorted(found, key=lambda one: (match_key(one.name), one.name)))


def _within(dimension: str) -> dict[str, str]:
    return {"within": "$country"} if dimension == "sites" else {}


def _cells(rows: Iterable[Document], unknown: str | None) -> list[Cell]:
    """`unknown` is the country of whom none is known."""

    def known(name: str | None) -> str | None:
        return None if name == unknown else name

    return [
        Cell(
            known(row["_id"].get("name")),
            row["people"],
            row["ambassadors"],
            row["free"],
            known(row["_id"].get("within")),
        )
        for row in rows
    ]


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


def _of_segment(segment: Segment) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if segment.countries:
        where["country"] = {"$in": list(segment.countries)}
    if segment.teams:
        where["team"] = {"$in": list(segment.teams)}
    if segment.sites:
        where["site"] = {"$in": list(segment.sites)}
    if segment.jobs:
        where["job"] = {"$in": list(segment.jobs)}
    if segment.levels:
        where["level"] = {"$in": list(segment.levels)}
    if segment.leaders_only:
        where["leader"] = True
    return where


def _recipients(program_id: str, segment: Segment) -> dict[str, Any]:
    joined = {"$elemMatch": {"program_id": program_id, "status": "joined"}}
    return {**_of_segment(segment), "active": True, "email": {"$type": "string"}, "memberships": joined}


def _of_criteria(program_id: str, criteria: Criteria) -> dict[str, Any]:
    who = {"_id": {"$in": list(criteria.people)}} if criteria.people else _of_segment(criteria.segment)
    return {"memberships": {"$elemMatch": {"program_id": program_id, "status": "joined"}}, **who}


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
