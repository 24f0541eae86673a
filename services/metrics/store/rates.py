"""The rates of the earned media value, by version."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.web.problems import Conflict
from services.metrics.domain.value import DEFAULT_RATES, Rates, RateTable
from services.metrics.store.shared import Session

RATES_AT_ONCE = 50


class RateVersions:
    """The collection `rates`."""

    def __init__(self, mongo: Mongo) -> None:
        self._rates = mongo.db["rates"]

    async def ensure_indexes(self) -> None:
        await self._rates.create_index([("program_id", 1), ("version", 1)], unique=True)

    async def insert(self, program_id: str, rates: Rates, tx: Transaction) -> None:
        """Raises Conflict where this version was set at the same time."""
        row = {
            "_id": f"{program_id}|{rates.version}",
            "program_id": program_id,
            "version": rates.version,
            "valid_from": rates.valid_from,
            "currency": rates.currency,
            "source": rates.source,
            "rates": {
                network: {action: str(amount) for action, amount in actions.items()}
                for network, actions in rates.rates.items()
            },
            "set_at": tx.now,
        }
        try:
            await self._rates.insert_one(row, session=tx.session)
        except DuplicateKeyError:
            raise Conflict("The rates were changed at the same time.", type_="rates-changed") from None

    async def of_program(self, program_id: str, session: Session = None) -> RateTable:
        """The rates of each day, by all versions. Their number is limited."""
        cursor = self._rates.find({"program_id": program_id}, session=session, batch_size=RATES_AT_ONCE)
        return RateTable([_rates(row) async for row in cursor])

    async def latest(self, program_id: str, session: Session = None) -> Rates:
        """The latest version; Herald's starting values where none was set."""
        row = await self._rates.find_one({"program_id": program_id}, sort=[("version", -1)], session=session)
        return _rates(row) if row else DEFAULT_RATES

    async def before(self, program_id: str, version: int, *, limit: int) -> list[Rates]:
        """At most `limit` versions before this one, the latest first; Herald's starting values are the last of all."""
        wanted = {"program_id": program_id, "version": {"$lt": version}}
        cursor = self._rates.find(wanted, sort=[("version", -1)], limit=limit, batch_size=RATES_AT_ONCE)
        found = [_rates(row) async for row in cursor]
        return [*found, DEFAULT_RATES] if len(found) < limit and version > 0 else found


def _rates(row: Mapping[str, Any]) -> Rates:
    return Rates(
        version=row["version"],
        valid_from=row["valid_from"],
        currency=row["currency"],
        source=row["source"],
        rates={
            network: {action: Decimal(amount) for action, amount in actions.items()}
            for network, actions in row["rates"].items()
        },
    )
