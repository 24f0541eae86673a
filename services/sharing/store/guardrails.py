"""The guardrails that managers set: collection `guardrails`, a document a programme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import document, read
from chassis.web.problems import StaleVersion
from services.sharing.domain.guardrails import Guardrails, default_guardrails


class GuardrailsStore:
    """Where nothing was set the defaults hold."""

    def __init__(self, mongo: Mongo) -> None:
        self._guardrails = mongo.db["guardrails"]

    async def get(self, program_id: str, tx: Transaction | None = None) -> Guardrails:
        """Those that were set, else the defaults."""
        row = await self._guardrails.find_one({"_id": program_id}, {"before": 0}, session=tx.session if tx else None)
        return _read(row, program_id) if row else default_guardrails(program_id)

    async def before(self, program_id: str, tx: Transaction) -> Guardrails | None:
        """Those that held before the present ones; None where none were set, or no version of them was kept."""
        row = await self._guardrails.find_one({"_id": program_id}, {"before": 1}, session=tx.session)
        return _read(row["before"], program_id) if row and "before" in row else None

    async def put(self, guardrails: Guardrails, before: Guardrails, tx: Transaction) -> None:
        """Keeps those that held before. Raises StaleVersion if another one was quicker."""
        state: Document = {**_row(guardrails), "before": _row(before), "at": tx.now}
        result = await self._guardrails.update_one(
            {"_id": guardrails.program_id, "version": guardrails.version - 1}, {"$set": state}, session=tx.session
        )
        if result.matched_count:
            return
        if await self._guardrails.find_one({"_id": guardrails.program_id}, {"_id": 1}, session=tx.session):
            raise StaleVersion("The guardrails were changed in the meantime.")
        await self._guardrails.insert_one({"_id": guardrails.program_id, **state}, session=tx.session)


def _read(row: Document, program_id: str) -> Guardrails:
    return read(Guardrails, row, program_id=program_id, disclosures=_pairs_as_map(row["disclosures"]))


def _row(guardrails: Guardrails) -> Document:
    return {
        "version": guardrails.version,
        "disclosures": _map_as_pairs(guardrails.disclosures),
        "forbidden": [document(one) for one in guardrails.forbidden],
    }


def _map_as_pairs(disclosures: Mapping[str, Mapping[str, str]]) -> Sequence[Document]:
    """As a list, because MongoDB gives names of fields a meaning of their own."""
    return [
        {"country": country, "language": language, "text": text}
        for country, texts in disclosures.items()
        for language, text in texts.items()
    ]


def _pairs_as_map(pairs: Sequence[Document]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in pairs:
        found.setdefault(one["country"], {})[one["language"]] = one["text"]
    return found
