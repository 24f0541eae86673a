"""Mails, a row for each recipient, and what each person wants of them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pymongo import IndexModel, ReturnDocument, UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from services.program.domain.mails import Mail, Reader

KEPT_SECONDS: Final = 180 * 24 * 3600
"""How long it is known that somebody got a mail."""


class Mails:
    """The collections `mails`, `mail_readers`, `mail_reports` (which reports were taken) and `mail_mailboxes` (how far
    mailboxes of bounces were read)."""

    def __init__(self, mongo: Mongo) -> None:
        self._mails = mongo.db["mails"]
        self._readers = mongo.db["mail_readers"]
        self._reports = mongo.db["mail_reports"]
        self._mailboxes = mongo.db["mail_mailboxes"]

    async def ensure_indexes(self) -> None:
        await self._mails.create_indexes(
            [
                IndexModel(["due_at", "_id"], partialFilterExpression={"state": "due"}, name="due"),
                IndexModel(["subject_id", "state"]),
                IndexModel(["person_id", "_id"]),
                IndexModel("token", unique=True),
                IndexModel("over_at", expireAfterSeconds=KEPT_SECONDS),
            ]
        )
        await self._readers.create_index("token", unique=True)
        await self._reports.create_index("at", expireAfterSeconds=KEPT_SECONDS)

    # --- mails -------------------------------------------------------------------------------------------------

    async def add(self, mails: Sequence[Mail], tx: Transaction) -> None:
        """Those that are not there yet."""
        writes: list[UpdateOne] = []
        for mail in mails:
            row = document(mail)
            writes.append(UpdateOne({"_id": row.pop("_id")}, {"$setOnInsert": row}, upsert=True))
        if writes:
            await self._mails.bulk_write(writes, session=tx.session, ordered=False)

    async def claim(self, sender: str, now: datetime, until: datetime) -> Mail | None:
        """The mail that has been due for longest, now that sender's until then; None where nothing is due."""
        row = await self._mails.find_one_and_update(
            {"state": "due", "due_at": {"$lte": now}},
            {"$set": {"claim": sender, "due_at": until}, "$inc": {"attempts": 1}},
            sort=[("due_at", 1), ("_id", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return read(Mail, row) if row else None

    async def save(self, before: Mail, after: Mail) -> bool:
        """Write what became of a claimed mail; False where the claim had run out and another sender has it."""
        where = {"_id": before.id, "state": "due", "claim": before.claim, "attempts": before.attempts}
        return (await self._mails.update_one(where, {"$set": changes(after)})).matched_count == 1

    async def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the mail that waits longest is due."""
        row = await self._mails.find_one({"state": "due", "due_at": {"$lte": now}}, sort=[("due_at", 1)])
        return row["due_at"] if row else None

    async def by_token(self, token: str, tx: Transaction) -> Mail | None:
        row = await self._mails.find_one({"token": token}, session=tx.session)
        return read(Mail, row) if row else None

    async def mark_returned(self, mail: Mail, code: str | None, tx: Transaction) -> None:
        """A mail that was sent came back."""
        await self._mails.update_one(
            {"_id": mail.id, "state": "sent"}, {"$set": {"state": "refused", "code": code}}, session=tx.session
        )

    async def counts(self, subject_id: str, tx: Transaction | None = None) -> dict[str, int]:
        """How many mails about a subject are in each state; test mails are none of them."""
        pipeline: list[Document] = [
            {"$match": {"subject_id": subject_id, "test": False}},
            {"$group": {"_id": "$state", "n": {"$sum": 1}}},
        ]
        rows = await self._mails.aggregate(pipeline, session=tx.session if tx else None)
        return {row["_id"]: int(row["n"]) async for row in rows}

    async def waiting(self, subject_id: str) -> dict[str, int]:
        """How many mails about a subject wait for another hour, by why."""
        pipeline: list[Document] = [
            {"$match": {"subject_id": subject_id, "state": "due", "waits": {"$type": "string"}}},
            {"$group": {"_id": "$waits", "n": {"$sum": 1}}},
        ]
        return {row["_id"]: int(row["n"]) async for row in await self._mails.aggregate(pipeline)}

    async def skip_due(self, subject_id: str, now: datetime, tx: Transaction) -> None:
        """Send no more of a subject; what a sender has in hand goes."""
        where = {"subject_id": subject_id, "state": "due", "claim": None, "test": False}
        fields = {"state": "skipped", "reason": "stopped", "over_at": now}
        await self._mails.update_many(where, {"$set": fields}, session=tx.session)

    async def of_person(self, person_id: str, limit: int) -> list[Mail]:
        """The latest mails to a person."""
        rows = self._mails.find({"person_id": person_id}, sort=[("created_at", -1), ("_id", 1)], limit=limit)
        return [read(Mail, row) async for row in rows]

    # --- what comes back ---------------------------------------------------------------------------------------

    async def note_report(self, id: str, tx: Transaction) -> bool:
        """Whether that report is new."""
        done = await self._reports.update_one(
            {"_id": id}, {"$setOnInsert": {"at": tx.now}}, upsert=True, session=tx.session
        )
        return done.upserted_id is not None

    async def read_up_to(self, mailbox: str, validity: int) -> int:
        """The UID up to which a mailbox was read; 0 for one that is new, or whose UIDs mean others since."""
        row = await self._mailboxes.find_one({"_id": mailbox, "validity": validity})
        return int(row["uid"]) if row else 0

    async def note_read_up_to(self, mailbox: str, validity: int, uid: int, tx: Transaction) -> None:
        await self._mailboxes.update_one(
            {"_id": mailbox}, {"$set": {"validity": validity, "uid": uid}}, upsert=True, session=tx.session
        )

    # --- readers -----------------------------------------------------------------------------------------------

    async def readers(self, ids: Iterable[str], tx: Transaction | None = None) -> Mapping[str, Reader]:
        """By person; who never got a mail has none."""
        rows = self._readers.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return {row["_id"]: read(Reader, row) async for row in rows}

    async def reader(self, person_id: str, tx: Transaction | None = None) -> Reader:
        """A person's choices; made where there are none."""
        row: Document | None = await self._readers.find_one_and_update(
            {"_id": person_id},
            {"$setOnInsert": {"token": new_token(), "silenced": [], "bounced": None, "complained_at": None}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=tx.session if tx else None,
        )
        return read(Reader, row or {})

    async def reader_by_token(self, token: str, tx: Transaction | None = None) -> Reader | None:
        row = await self._readers.find_one({"token": token}, session=tx.session if tx else None)
        return read(Reader, row) if row else None

    async def save_reader(self, after: Reader, tx: Transaction) -> None:
        await self._readers.update_one({"_id": after.id}, {"$set": changes(after)}, session=tx.session)

    async def note_bounced(self, person_id: str, digest: str, tx: Transaction | None = None) -> None:
        """Nobody is at that address: no mail goes there any more."""
        await self._readers.update_one(
            {"_id": person_id}, {"$set": {"bounced": digest}}, session=tx.session if tx else None
        )

    async def note_complained(self, person_id: str, now: datetime, tx: Transaction) -> None:
        """Somebody told their provider that our mails are not wanted."""
        await self._readers.update_one({"_id": person_id}, {"$set": {"complained_at": now}}, session=tx.session)


def new_token() -> str:
    """128 random bits in letters that every mail server leaves as they are."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
