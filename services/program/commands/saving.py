"""What the acts on a programme's objects do alike."""

from __future__ import annotations

from typing import Protocol, TypeVar

from chassis import audit
from chassis.audit import Audited
from chassis.mongo import Transaction


class OfProgram(Protocol):
    """An object of a programme."""

    @property
    def id(self) -> str: ...

    @property
    def program_id(self) -> str: ...


Object = TypeVar("Object", bound=OfProgram)
Stored = TypeVar("Stored", contravariant=True)


class Store(Protocol[Stored]):
    """Where such objects are kept."""

    async def save(self, before: Stored, after: Stored, tx: Transaction) -> None: ...


async def save(store: Store[Object], kind: Audited, tx: Transaction, act: str, before: Object, after: Object) -> Object:
    """Keep what an act made of an object, and leave its trace; an act that changed nothing is neither. Raises
    StaleVersion, and what the store refuses."""
    if after is not before:
        await store.save(before, after, tx)
    audit.record(tx, act, kind, after.id, before=before, after=after, program_id=after.program_id)
    return after
