"""Each service's own projection of `herald.people`: who may call, and what they may do.

A token only says who is calling. Whether that person is still there, and what they may do, is read here, so that
a person who left is cut off as soon as the event arrives, whatever tokens still live.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pymongo import UpdateOne

from chassis.consumer import Received
from chassis.mongo import Document, Mongo, Transaction, pieces
from chassis.mongo.projection import member_when_newer, when_newer
from chassis.tasks import yielding
from herald_contracts import (
    AmbassadorJoined,
    AmbassadorLeft,
    Event,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
)

CLIENT_PREFIX = "client:"
OPERATOR_PREFIX = "operator:"
"""Of the id of somebody at a shell of the installation; no caller has one."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: a person with roles, or a machine client (whose id starts with `client:`) with scopes."""

    id: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    active: bool = True
    country: str = ""
    team: str = ""
    locale: str = "en"
    level: str | None = None
    site: str | None = None
    leader: bool = False
    has_email: bool = True
    hidden_from_rankings: bool = False
    hidden_from_statistics: bool = False
    memberships: frozenset[str] = frozenset()
    program_roles: frozenset[tuple[str, str]] = frozenset()
    """Roles in one programme alone, each with its programme's id before it."""

    def within(self, program_id: str | None) -> Principal:
        """The caller in a request that is about one programme: with the roles that they have in it."""
        own = {role for program, role in self.program_roles if program == program_id}
        return replace(self, roles=self.roles | own) if own else self

    def on_device(self) -> Principal:
        """The caller where a one-time code let them in: an ambassador at most, whatever else they are."""
        return replace(self, roles=self.roles & {"ambassador"}, program_roles=frozenset())

    def with_all_roles(self) -> Principal:
        """The caller with the roles that they have in any programme."""
        return replace(self, roles=self.roles.union(role for _, role in self.program_roles))

    @property
    def machine(self) -> bool:
        return self.id.startswith(CLIENT_PREFIX)


class PrincipalLookup(Protocol):
    """Where a caller is looked up."""

    async def find(self, account: str) -> Principal | None: ...


PRINCIPALS = "principals"
_RIGHTS = ("roles", "program_roles", "active")
_ATTRIBUTES = (
    "accounts",
    "country",
    "team",
    "locale",
    "level",
    "site",
    "leader",
    "has_email",
    "hidden_from_rankings",
    "hidden_from_statistics",
)


PEOPLE: tuple[type[Event], ...] = (
    PersonProvisioned,
    PersonUpdated,
    PersonDeactivated,
    AmbassadorJoined,
    AmbassadorLeft,
)


class PrincipalStore:
    """The collection `principals` (`PRINCIPALS`), kept by the events `PEOPLE`."""

    def __init__(self, mongo: Mongo) -> None:
        self._principals = mongo.db[PRINCIPALS]

    async def ensure_indexes(self) -> None:
        await self._principals.create_index("accounts", sparse=True)

    async def apply(self, batch: Sequence[Received[Event]], tx: Transaction) -> None:
        """Take what the batch says of people; other events are passed over. One bulk write for many."""
        writes = [write async for event in yielding(batch) if (write := _write(event.data)) is not None]
        for some in pieces(writes):
            await self._principals.bulk_write(some, session=tx.session, ordered=True)

    async def find(self, account: str) -> Principal | None:
        """The person whom a sign-in belongs to."""
        # Two where persons were merged and one of the events is still to come.
        row = await self._principals.find_one({"accounts": account}, sort=[("active", -1)])
        return _principal(row) if row else None

    async def get_many(self, ids: Iterable[str], *, tx: Transaction | None = None) -> dict[str, Principal]:
        """Those of the ids that are known, by id."""
        cursor = self._principals.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return {row["_id"]: _principal(row) async for row in cursor}


class WithPrincipals(Protocol):
    """The context of a service that keeps principals."""

    @property
    def principals(self) -> PrincipalStore: ...


async def project_principals(context: WithPrincipals, tx: Transaction, batch: Sequence[Received[Event]]) -> None:
    """Keep `principals` by the events of people."""
    await context.principals.apply(batch, tx)


def _write(event: Event) -> UpdateOne | None:
    match event:
        case PersonProvisioned() | PersonUpdated():
            rights = event.model_dump(include={*_RIGHTS})
            attributes = event.model_dump(include={*_ATTRIBUTES})
            fields = when_newer(event.revision, rights) | when_newer(event.revision, attributes, guard="described")
        case PersonDeactivated():
            rights = {"active": False, "roles": [], "program_roles": []}
            fields = when_newer(event.revision, rights) | when_newer(0, {}, guard="described")
        case AmbassadorLeft(origin="imported"):
            return None
        case AmbassadorJoined() if event.origin != "herald":  # no other origin gives a right
            return None
        case AmbassadorJoined() | AmbassadorLeft():
            fields = member_when_newer(
                "memberships",
                event.program_id,
                joined=isinstance(event, AmbassadorJoined),
                revision=event.revision,
                at=event.occurred_at,
            )
        case _:
            return None
    return UpdateOne({"_id": event.person_id}, [{"$set": fields}], upsert=True)


def _principal(row: Document) -> Principal:
    return Principal(
        id=row["_id"],
        roles=frozenset(row.get("roles", ())),
        program_roles=frozenset((one["program_id"], one["role"]) for one in row.get("program_roles") or ()),
        active=row.get("active", False),
        country=row.get("country", ""),
        team=row.get("team", ""),
        locale=row.get("locale", "en"),
        level=row.get("level"),
        site=row.get("site"),
        leader=row.get("leader", False),
        has_email=row.get("has_email", True),
        hidden_from_rankings=row.get("hidden_from_rankings", False),
        hidden_from_statistics=row.get("hidden_from_statistics", False),
        memberships=frozenset(row.get("memberships", ())),
    )
