"""Rows that another system names, taken over in bulk: each once, however often it is sent.

A row is named by its scope, its source and its own id. The same row again is `known`; another row under the same name
is refused. What is refused is reported row by row, and its neighbours are taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chassis.mongo import Document, Mongo, Transaction

MAX_ROWS = 500
"""What one request may bring: a transaction of that size takes well under a second."""
ExternalId = Annotated[str, Field(min_length=1, max_length=200, description="Names the row in its source, for good")]
Source = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        description="The system that the rows come from; their ids are unique in it",
        examples=["old-product"],
    ),
]


class Row(Protocol):
    """A frozen dataclass with an id."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)


class Outcome(NamedTuple):
    """What became of a row, or would: `field`, `rule` and `detail` say why it was refused."""

    outcome: Literal["new", "known", "refused"]
    field: str = ""
    rule: str = ""
    detail: str = ""


NEW, KNOWN = Outcome("new"), Outcome("known")


class KnownRow(NamedTuple):
    """A row that was taken: what it said, and the id of what it became here."""

    fingerprint: str
    ref: str


@dataclass
class ImportBatch(Generic[R]):
    """The rows of one request while a command decides on them, in `fresh`, by number."""

    scope: str
    source: str
    rows: Sequence[R]
    outcomes: list[Outcome]
    fresh: list[int]
    refs: dict[int, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[int, R]]:
        return ((number, self.rows[number]) for number in self.fresh)

    def accept(self, number: int, ref: str) -> None:
        """The row is taken and becomes `ref`."""
        self.refs[number] = ref

    def refuse(self, number: int, field: str, rule: str, detail: str) -> None:
        self.outcomes[number] = Outcome("refused", field, rule, detail)


class ExternalRows:
    """The collection `external_rows`."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.db["external_rows"]

    async def open(self, kind: str, scope: str, source: str, rows: Sequence[R], tx: Transaction) -> ImportBatch[R]:
        """The rows with those that are fresh told from those that were taken or clash with one that was."""
        names = [_name(kind, scope, source, row.id) for row in rows]
        before = {name: one.fingerprint for name, one in (await self._find(names, tx)).items()}
        batch: ImportBatch[R] = ImportBatch(scope, source, rows, [NEW] * len(rows), [])
        for number, (name, row) in enumerate(zip(names, rows, strict=True)):
            said = fingerprint(row)
            known = before.get(name)
            before.setdefault(name, said)
            if known is None:
                batch.fresh.append(number)
            elif known == said:
                batch.outcomes[number] = KNOWN
            else:
                batch.refuse(number, "id", "reused", "Another row was imported under this id.")
        return batch

    async def keep(self, kind: str, batch: ImportBatch[R], tx: Transaction) -> None:
        """Remember the rows that were accepted."""
        documents: list[Document] = [
            {
                "_id": _name(kind, batch.scope, batch.source, batch.rows[number].id),
                "fingerprint": fingerprint(batch.rows[number]),
                "ref": ref,
                "at": tx.now,
            }
            for number, ref in batch.refs.items()
        ]
        if documents:
            await self._rows.insert_many(documents, session=tx.session, ordered=False)

    async def refs(
        self, kind: str, scope: str, source: str, ids: Iterable[str], tx: Transaction | None = None
    ) -> dict[str, str]:
        """What rows became, by their id; those that were never taken are left out."""
        names = {_name(kind, scope, source, id): id for id in ids}
        return {names[name]: one.ref for name, one in (await self._find(names, tx)).items()}

    async def _find(self, names: Iterable[str], tx: Transaction | None) -> dict[str, KnownRow]:
        cursor = self._rows.find({"_id": {"$in": list(set(names))}}, session=tx.session if tx else None)
        return {row["_id"]: KnownRow(row["fingerprint"], row["ref"]) async for row in cursor}


def fingerprint(row: Row) -> str:
    """The same for rows that say the same."""
    said: Mapping[str, object] = asdict(row)  # type: ignore[call-overload]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _name(kind: str, scope: str, source: str, id: str) -> str:
    return f"{kind}|{scope}|{source}|{id}"


class OutcomeView(BaseModel):
    """What became of a row, or would."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["new", "known", "refused"] = Field(description="`known`: taken before, nothing changes")
    field: str = Field(description="Of a refused row: what breaks a rule")
    rule: str
    detail: str


class OutcomesView(BaseModel):
    """What became of the rows, in their order."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"items": [{"outcome": "new", "field": "", "rule": "", "detail": ""}]}]},
    )

    items: list[OutcomeView]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        return cls(items=[OutcomeView.model_validate(one._asdict()) for one in outcomes])
