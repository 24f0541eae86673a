"""Where this service has the id of a person, and which of these places move to another person when two are merged.

What somebody has before them or is still asked for moves: work, wishes, mail, what they learned, said and prepared.
What they did in the past stays with whom it was counted for: points and figures of other services are under that id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from chassis.ids import derived_id
from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import read
from services.program.domain.lessons import Completion
from services.program.domain.mails import mail_id

MOVED: Final[Mapping[str, str]] = {
    "people.same_address_as": "whose address it is now",
    "people.merged_into": "whom somebody became in the end",
    "tasks.owner_id": "who does it",
    "objectives.owner_id": "who sees to it",
    "waves.criteria.people": "who enters the cohort",
    "completions.person_id": "nobody learns the same twice",
    "survey_tokens.person_id": "nobody answers twice",
    "feedback.person_id": "who reads the answer",
    "expert_acts.person_id": "declared ones, which nothing counted yet",
    "referral_links.person_id": "whom later candidates count for",
    "referrals.person_id": "whom a hire counts for, and who is rewarded",
    "attendances.person_id": "who is expected",
    "applications.person_id": "who put themselves forward",
    "calendar_feeds.person_id": "whose address it is",
    "mails.person_id": "who gets it",
    "deputies.leader_id": "who is prepared for",
    "deputies.person_id": "who prepares",
    "prepared.leader_id": "for whom it waits",
    "prepared.deputy_id": "who may change it",
    "first_posts.person_id": "nobody shares for the first time twice",
}
STAYS: Final[Mapping[str, str]] = {
    "examples.author_id": "is deleted when its author leaves, as the other one does",
    "people._id": "the person who was merged, cut off",
    "people.code.issued_by": "who gave a code",
    "consents.person_id": "what was agreed to, as who",
    "past_memberships.person_id": "figures of the past count it so",
    "cohort_members._id": "the figures of the cohort count it so",
    "cohort_members.person_id": "the figures of the cohort count it so",
    "expert_acts.person_id": "what was decided: its points are there",
    "expert_acts.decided_by": "who decided",
    "attendances.person_id": "who was there: their points are there",
    "referral_links.person_id": "where both had one to the same job: candidates of either count for whom they became",
    "mail_readers._id": "links in mails that were sent; they lead to whom it became",
    "mails._id": "a mail in hand, or one of two about the same",
    "mails.person_id": "a mail that is being sent at this moment",
    "tasks.done_by": "who did it",
    "objectives.reviewed_by": "who reviewed it",
    "waves.decided_by": "who decided",
    "waves.recorded_by": "who recorded it",
    "feedback.answered_by": "who answered",
    "newsletters.approved_by": "who approved it",
    "newsletters.reached": "how far its mails are made, in the order of ids",
    "handovers.written_by": "who wrote them",
    "imports.created_by": "who imported",
    "invitation_links.created_by": "who made it",
    "audit_trail": "who did what",
}


class Merging:
    """Moves what one person has to another, in all collections. Versions of what is moved rise."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db

    async def rename(self, place: str, other: str, person: str, tx: Transaction, **where: object) -> None:
        """Put the one id in the place of the other, in rows that name nobody in their own id."""
        name, _, field = place.partition(".")
        update = {"$set": {field: person}, "$inc": {"version": 1}}
        await self._db[name].update_many({field: other, **where}, update, session=tx.session)

    async def waves(self, other: str, person: str, tx: Transaction) -> None:
        """Who enters cohorts by name, each once."""
        rows = await self._db["waves"].find({"criteria.people": other}, session=tx.session).to_list()
        for row in rows:
            people = [person if one == other else one for one in row["criteria"]["people"]]
            fields = {"criteria.people": list(dict.fromkeys(people))}
            await self._set("waves", row, fields, tx)

    async def completions(self, other: str, person: str, tx: Transaction) -> list[Completion]:
        """Lessons that the person had not completed are theirs now."""
        moved = await self._rekey("completions", other, person, tx, lambda row: derived_id(row["lesson_id"], person))
        return [read(Completion, row) for row in moved]

    async def answers(self, other: str, person: str, tx: Transaction) -> None:
        """That they answered surveys, what they said when they put themselves forward, and which invitations to events
        they answered, where they have not checked in."""
        await self._rekey("survey_tokens", other, person, tx, lambda row: f"{row['survey_id']}:{person}")
        await self._rekey("applications", other, person, tx, lambda row: f"{row['program_id']}:{person}")
        event = lambda row: derived_id(row["event_id"], person)  # noqa: E731
        await self._rekey("attendances", other, person, tx, event, checked_in_at=None)

    async def first_posts(self, other: str, person: str, tx: Transaction) -> None:
        """When they shared for the first time, where they had not under the other id."""
        await self._rekey("first_posts", other, person, tx, lambda row: derived_id(row["program_id"], person))

    async def links(self, other: str, person: str, tx: Transaction) -> None:
        """Links to job offers, of which the person has at most one each, and secret addresses of calendars, of which
        they have one a programme."""
        for row in await self._rows("referral_links", other, tx):
            if not await self._there("referral_links", tx, person_id=person, **_pick(row, "program_id", "job_id")):
                await self._set("referral_links", row, {"person_id": person}, tx)
        for row in await self._rows("calendar_feeds", other, tx):
            if await self._there("calendar_feeds", tx, person_id=person, **_pick(row, "program_id")):
                await self._db["calendar_feeds"].delete_one({"_id": row["_id"]}, session=tx.session)
            else:
                await self._set("calendar_feeds", row, {"person_id": person}, tx)

    async def expert_acts(self, other: str, person: str, now: datetime, tx: Transaction) -> None:
        """What waits for a manager; of two declarations of one link, one is withdrawn."""
        for row in await self._rows("expert_acts", other, tx, state="declared"):
            alike = {"person_id": person, "live": True, **_pick(row, "program_id", "link")}
            twice = await self._there("expert_acts", tx, **alike)
            over = {"state": "withdrawn", "live": False, "updated_at": now} if twice else {}
            await self._set("expert_acts", row, {"person_id": person, **over}, tx)

    async def deputies(self, other: str, person: str, now: datetime, tx: Transaction) -> None:
        """Whose deputy they are and who is theirs, once each and not their own; what was prepared, each item once."""
        either = {"$or": [{"leader_id": other}, {"person_id": other}]}
        for row in await self._db["deputies"].find(either, session=tx.session).to_list():
            parties = {name: person if row[name] == other else row[name] for name in ("leader_id", "person_id")}
            own = parties["leader_id"] == parties["person_id"]
            twice = await self._there("deputies", tx, live=True, **parties, **_pick(row, "program_id"))
            over = {"state": "ended", "live": False, "updated_at": now} if row["live"] and (own or twice) else {}
            await self._set("deputies", row, {**parties, **over}, tx)
        await self.rename("prepared.deputy_id", other, person, tx)
        rows = await self._db["prepared"].find({"leader_id": other}, session=tx.session).to_list()
        for row in rows:
            alike = {"leader_id": person, "state": "waiting", **_pick(row, "program_id", "content_id")}
            twice = row["state"] == "waiting" and await self._there("prepared", tx, **alike)
            over = {"state": "withdrawn", "updated_at": now} if twice else {}
            await self._set("prepared", row, {"leader_id": person, **over}, tx)

    async def mails(self, other: str, person: str, now: datetime, tx: Transaction) -> None:
        """Mails but those in the hand of a sender; of two about the same, the one that is due is skipped."""
        for row in await self._rows("mails", other, tx, claim=None):
            id = mail_id(row["kind"], row["subject_id"], person)
            if not await self._there("mails", tx, _id=id):
                await self._db["mails"].delete_one({"_id": row["_id"]}, session=tx.session)
                await self._db["mails"].insert_one({**row, "_id": id, "person_id": person}, session=tx.session)
                continue
            over = {"state": "skipped", "reason": "outdated", "over_at": now} if row["state"] == "due" else {}
            fields = {"person_id": person, **over}
            await self._db["mails"].update_one({"_id": row["_id"]}, {"$set": fields}, session=tx.session)

    async def _rows(self, name: str, other: str, tx: Transaction, **where: object) -> list[Document]:
        return await self._db[name].find({"person_id": other, **where}, session=tx.session).to_list()

    async def _there(self, name: str, tx: Transaction, **where: object) -> bool:
        return await self._db[name].find_one(where, {"_id": 1}, session=tx.session) is not None

    async def _set(self, name: str, row: Document, fields: Document, tx: Transaction) -> None:
        update: Document = {"$set": fields}
        if "version" in row:
            update["$inc"] = {"version": 1}
        await self._db[name].update_one({"_id": row["_id"]}, update, session=tx.session)

    async def _rekey(
        self,
        name: str,
        other: str,
        person: str,
        tx: Transaction,
        id_of: Callable[[Document], str],
        **where: object,
    ) -> list[Document]:
        """Put rows under the ids that they have as the person's, unless there are such; those that are new."""
        moved = []
        for row in await self._rows(name, other, tx, **where):
            new = {**row, "_id": id_of(row), "person_id": person}
            await self._db[name].delete_one({"_id": row["_id"]}, session=tx.session)
            if not await self._there(name, tx, _id=new["_id"]):
                await self._db[name].insert_one(new, session=tx.session)
                moved.append(new)
        return moved


def _pick(row: Document, *names: str) -> Document:
    return {name: row[name] for name in names}
