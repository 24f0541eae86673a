"""Surveys, how often each score was given, what was written, and who has answered: each in a collection of its own,
with nothing in common but the survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import MAX_COUNTED, begin_with
from chassis.text import terms
from chassis.web.problems import Conflict
from services.program.domain.surveys import Answer, Survey, SurveyState, Tally
from services.program.store.anonymous import ensure_clustered, random_id
from services.program.store.shared import add_terms, delete_row, row_of, save_row

TEXTS, TOKENS = "survey_texts", "survey_tokens"
AT_ONCE = 200
NEWEST_FIRST = [("opens_on", -1), ("_id", -1)]


class Surveys:
    """The collections `surveys`, `survey_tallies`, `survey_texts` and `survey_tokens`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._surveys = mongo.db["surveys"]
        self._tallies = mongo.db["survey_tallies"]
        self._texts = mongo.db[TEXTS]
        self._tokens = mongo.db[TOKENS]

    async def ensure_indexes(self) -> None:
        await ensure_clustered(self._mongo, TEXTS)
        await ensure_clustered(self._mongo, TOKENS)
        await self._texts.create_index(["survey_id"])
        await self._tokens.create_index(["survey_id"])
        one_open = IndexModel(
            ["program_id"], unique=True, partialFilterExpression={"state": "open"}, name="one_open_survey"
        )
        await self._surveys.create_indexes([IndexModel([("program_id", 1), *NEWEST_FIRST]), one_open])
        await add_terms(self._surveys, lambda row: [read(Survey, row).title])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Survey:
        """Raises NotFound."""
        return read(Survey, await row_of(self._surveys, "survey", program_id, id, tx))

    async def find_open(self, program_id: str) -> Survey | None:
        row = await self._surveys.find_one({"program_id": program_id, "state": "open"})
        return read(Survey, row) if row else None

    async def page(
        self,
        program_id: str,
        state: SurveyState | None,
        after: Sequence[str] | None,
        limit: int,
        query: str | None = None,
        *,
        of_all: bool = False,
    ) -> list[Survey]:
        """Surveys of a programme, the last one first, after a position: first day and id of the last one before;
        `of_all` leaves out those that ask one wave."""
        clauses = _wanted(program_id, state, query)
        if of_all:
            clauses.append({"wave_id": None})
        if after is not None:
            day, id = after
            clauses.append({"$or": [{"opens_on": {"$lt": day}}, {"opens_on": day, "_id": {"$lt": id}}]})
        rows = await self._surveys.find({"$and": clauses}, sort=NEWEST_FIRST, limit=limit).to_list()
        return [read(Survey, row) for row in rows]

    async def count(self, program_id: str, state: SurveyState | None, query: str | None) -> int:
        """How many of them there are, 10,000 at most."""
        wanted = {"$and": _wanted(program_id, state, query)}
        return await self._surveys.count_documents(wanted, limit=MAX_COUNTED)

    async def count_drafts(self, program_id: str, tx: Transaction) -> int:
        where = {"program_id": program_id, "state": "draft"}
        return await self._surveys.count_documents(where, session=tx.session)

    async def within(self, program_id: str, first: date, last: date) -> list[Survey]:
        """Those that open or close on one of these days."""
        days = {"$gte": first.isoformat(), "$lte": last.isoformat()}
        where = {"program_id": program_id, "$or": [{"opens_on": days}, {"closes_on": days}]}
        return [read(Survey, row) for row in await self._surveys.find(where, limit=AT_ONCE).to_list()]

    async def count_asked(self, program_id: str) -> int:
        """How many are open or closed."""
        return await self._surveys.count_documents({"program_id": program_id, "state": {"$ne": "draft"}})

    async def shown_since(self, day: date, program_id: str, tx: Transaction) -> list[Survey]:
        """The closed surveys of which there are results, with their last day on this one or later."""
        where = {"program_id": program_id, "state": "closed", "closes_on": {"$gte": day.isoformat()}}
        rows = await self._surveys.find(where, session=tx.session).to_list()
        ids = {"_id": {"$in": [row["_id"] for row in rows]}}
        kept = await self._tallies.distinct("_id", ids, session=tx.session)
        return [read(Survey, row) for row in rows if row["_id"] in kept]

    async def closing(self, day: str) -> list[Survey]:
        """The open surveys whose last day is that one or before."""
        rows = await self._surveys.find({"state": "open", "closes_on": {"$lte": day}}).to_list()
        return [read(Survey, row) for row in rows]

    async def insert(self, survey: Survey, tx: Transaction) -> None:
        await self._surveys.insert_one({**document(survey), "terms": _terms(survey)}, session=tx.session)

    async def save(self, before: Survey, after: Survey, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile, Conflict `survey-open` where another one is open."""
        try:
            fields = {**changes(after), "terms": _terms(after)}
            await save_row(self._surveys, {"_id": before.id}, before.version, fields, tx)
        except DuplicateKeyError:
            raise Conflict("Another survey of this programme is open.", type_="survey-open") from None

    async def delete(self, survey: Survey, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await delete_row(self._surveys, survey.id, survey.version, tx)

    async def begin(self, survey: Survey, tx: Transaction) -> None:
        """Count from nothing."""
        row = {"_id": survey.id, **document(Tally(scores=({},) * len(survey.questions)))}
        await self._tallies.insert_one(row, session=tx.session)

    async def add(self, survey_id: str, answer: Answer, tx: Transaction) -> None:
        """Count an answer, and keep its text apart from its scores."""
        one = {"answers": 1} | {f"scores.{index}.{score}": 1 for index, score in enumerate(answer.scores)}
        if answer.enps is not None:
            one[f"enps.{answer.enps}"] = 1
        await self._tallies.update_one({"_id": survey_id}, {"$inc": one}, session=tx.session)
        if answer.text:
            text = {"_id": random_id(), "survey_id": survey_id, "text": answer.text}
            await self._texts.insert_one(text, session=tx.session)

    async def end(self, survey_id: str, tx: Transaction) -> Tally:
        """What was counted. An answer that is under way collides with this, and is refused when it is tried again."""
        row = await self._tallies.find_one_and_update(
            {"_id": survey_id}, {"$set": {"closed": True}}, session=tx.session
        )
        return read(Tally, row or {})

    async def forget(self, survey_id: str, tx: Transaction) -> None:
        """Delete all that was answered."""
        await self._tallies.delete_one({"_id": survey_id}, session=tx.session)
        await self._texts.delete_many({"survey_id": survey_id}, session=tx.session)

    async def tallies(self, ids: Sequence[str]) -> dict[str, Tally]:
        """By survey; one that nobody could answer, or of which nothing may be kept, has none."""
        return {row["_id"]: read(Tally, row) async for row in self._tallies.find({"_id": {"$in": list(ids)}})}

    async def texts(self, survey_id: str, after: str | None, limit: int) -> list[tuple[str, str]]:
        """Ids and texts, in the order of their random ids."""
        where: dict[str, Any] = {"survey_id": survey_id}
        if after is not None:
            where["_id"] = {"$gt": after}
        rows = await self._texts.find(where, sort=[("_id", 1)], limit=limit).to_list()
        return [(row["_id"], row["text"]) for row in rows]

    async def note_answered(self, survey_id: str, person_id: str, tx: Transaction) -> None:
        """Raises Conflict `already-answered`."""
        token = {"_id": _token(survey_id, person_id), "survey_id": survey_id, "person_id": person_id}
        try:
            await self._tokens.insert_one(token, session=tx.session)
        except DuplicateKeyError:
            raise Conflict("You have answered this survey.", type_="already-answered") from None

    async def has_answered(self, survey_id: str, person_id: str) -> bool:
        return await self._tokens.find_one({"_id": _token(survey_id, person_id)}) is not None

    async def closed_with_answered(self) -> list[Survey]:
        """The closed surveys of which it is still known who answered."""
        ids = await self._tokens.distinct("survey_id")
        rows = await self._surveys.find({"_id": {"$in": ids}, "state": "closed"}).to_list()
        return [read(Survey, row) for row in rows]

    async def take_answered(self, survey_id: str, limit: int, tx: Transaction) -> list[str]:
        """Some of those who answered, by their ids; it is forgotten that they did."""
        rows = await self._tokens.find({"survey_id": survey_id}, limit=limit, session=tx.session).to_list()
        await self._tokens.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session)
        return sorted(row["person_id"] for row in rows)

    async def forget_answered(self, survey_id: str, tx: Transaction) -> None:
        await self._tokens.delete_many({"survey_id": survey_id}, session=tx.session)


def _token(survey_id: str, person_id: str) -> str:
    return f"{survey_id}:{person_id}"


def _wanted(program_id: str, state: SurveyState | None, query: str | None) -> list[Mapping[str, Any]]:
    clauses: list[Mapping[str, Any]] = [{"program_id": program_id}]
    if state is not None:
        clauses.append({"state": state})
    return [*clauses, *begin_with(query)] if query else clauses


def _terms(survey: Survey) -> list[str]:
    return list(terms(survey.title))
