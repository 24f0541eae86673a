"""What sharing knows of others' facts: collections `contents`, `programs`, `acknowledgements`, `guardrails`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pymongo import ReplaceOne, UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from chassis.web.problems import NotFound, StaleVersion
from services.sharing.domain.guardrails import ForbiddenPhrase, Guardrails, default_guardrails
from services.sharing.domain.posts import Content, Suggestion, Variant

REMEMBERED = 16_384


class Knowledge:
    """Projections of `herald.content` and `herald.program`, and the guardrails that managers set."""

    def __init__(self, mongo: Mongo) -> None:
        self._contents = mongo.db["contents"]
        self._programs = mongo.db["programs"]
        self._acknowledgements = mongo.db["acknowledgements"]
        self._guardrails = mongo.db["guardrails"]
        self._known: set[str] = set()

    # --- content ---------------------------------------------------------------------------------------------

    async def content(self, id: str, tx: Transaction | None = None) -> Content:
        """Raises NotFound."""
        row = await self._contents.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("content", id)
        return _content(row)

    async def knows_content(self, id: str) -> bool:
        """Asked once of each item that is known: what is retired stays known."""
        if id not in self._known:
            if await self._contents.find_one({"_id": id}, {"_id": 1}) is None:
                return False
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known.add(id)
        return True

    async def contents(self, ids: Iterable[str], tx: Transaction) -> dict[str, Content]:
        rows = self._contents.find({"_id": {"$in": list(ids)}}, session=tx.session)
        return {row["_id"]: _content(row) async for row in rows}

    async def put_contents(self, contents: Iterable[Content], tx: Transaction) -> None:
        writes = [ReplaceOne({"_id": one.id}, _content_document(one), upsert=True) for one in contents]
        if writes:
            await self._contents.bulk_write(writes, session=tx.session, ordered=False)

    # --- programmes ------------------------------------------------------------------------------------------

    async def program(self, id: str, tx: Transaction | None = None) -> Mapping[str, Any]:
        """`name`, and `required`, the version of the guidelines to acknowledge. Raises NotFound."""
        row = await self._programs.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None or "name" not in row:
            raise NotFound("program", id)
        return row

    async def put_programs(self, changes: Mapping[str, Document], tx: Transaction) -> None:
        """`$set`, `$max` and `$min` of each programme."""
        writes = [UpdateOne({"_id": id}, change, upsert=True) for id, change in changes.items()]
        if writes:
            await self._programs.bulk_write(writes, session=tx.session, ordered=False)

    async def acknowledged(self, person_id: str, program_id: str, tx: Transaction | None = None) -> int:
        """The latest version of the guidelines that this person acknowledged, 0 for none."""
        row = await self._acknowledgements.find_one(
            {"_id": f"{person_id}|{program_id}"}, session=tx.session if tx else None
        )
        return int(row["version"]) if row else 0

    async def put_acknowledgements(self, versions: Mapping[tuple[str, str], int], tx: Transaction) -> None:
        """Versions by person and programme; an earlier one never replaces a later one."""
        writes = [
            UpdateOne({"_id": f"{person}|{program}"}, {"$max": {"version": version}}, upsert=True)
            for (person, program), version in versions.items()
        ]
        if writes:
            await self._acknowledgements.bulk_write(writes, session=tx.session, ordered=False)

    # --- guardrails ------------------------------------------------------------------------------------------

    async def guardrails(self, program_id: str, tx: Transaction | None = None) -> Guardrails:
        """Those that were set, else the defaults."""
        row = await self._guardrails.find_one({"_id": program_id}, session=tx.session if tx else None)
        if row is None:
            return default_guardrails(program_id)
        forbidden = tuple(ForbiddenPhrase(**one) for one in row["forbidden"])
        return Guardrails(program_id, row["version"], _pairs_as_map(row["disclosures"]), forbidden)

    async def put_guardrails(self, guardrails: Guardrails, tx: Transaction) -> None:
        """Raises StaleVersion if another one was quicker."""
        document: Document = {
            "version": guardrails.version,
            "disclosures": _map_as_pairs(guardrails.disclosures),
            "forbidden": [asdict(one) for one in guardrails.forbidden],
            "at": tx.now,
        }
        result = await self._guardrails.update_one(
            {"_id": guardrails.program_id, "version": guardrails.version - 1}, {"$set": document}, session=tx.session
        )
        if result.matched_count:
            return
        if await self._guardrails.find_one({"_id": guardrails.program_id}, {"_id": 1}, session=tx.session):
            raise StaleVersion("The guardrails were changed in the meantime.")
        await self._guardrails.insert_one({"_id": guardrails.program_id, **document}, session=tx.session)


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


def _content(row: Document) -> Content:
    return Content(
        id=row["_id"],
        program_id=row["program_id"],
        revision=row["revision"],
        published=row["published"],
        shareable=row["shareable"],
        url=row["url"],
        variants=tuple(Variant(**one) for one in row["variants"]),
        captions=tuple(Suggestion(**one) for one in row["captions"]),
        countries=frozenset(row["countries"]),
        teams=frozenset(row["teams"]),
        expires_at=row["expires_at"],
    )


def _content_document(content: Content) -> Document:
    return {
        "program_id": content.program_id,
        "revision": content.revision,
        "published": content.published,
        "shareable": content.shareable,
        "url": content.url,
        "variants": [asdict(one) for one in content.variants],
        "captions": [asdict(one) for one in content.captions],
        "countries": sorted(content.countries),
        "teams": sorted(content.teams),
        "expires_at": content.expires_at,
    }
