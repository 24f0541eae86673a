"""The audit trail: who did which administrative act, and what it changed.

A command records its act in its own transaction, so that neither is there without the other:

    ITEM = Audited("item", Item, shown=("state", ...), withheld=("comment",), left_out=("version", ...))
    audit.record(tx, "publish_item", ITEM, item.id, before=item, after=published, program_id=item.program_id)

Who acts is known to the transaction (`UnitOfWork` says so). What the system does by itself, in a job or for an event,
has no actor and is no administrative act: nothing is recorded. A route for which a role is needed fails where its
command neither recorded an act nor said that there was none (`UnitOfWork`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from typing import Any

from chassis.external_rows import ImportBatch
from chassis.mongo import Transaction
from herald_contracts import AdministrativeActRecorded, FieldChange
from herald_contracts.audit import MAX_VALUE

MAX_CHANGES = 200
MAX_NAME = 200
ALL = "all"
"""The id of an object of which there is one."""


class Audited:
    """A kind of thing that acts are about, and what of its class the trail tells.

    `shown` fields with their values; `withheld` ones, which hold what is personal, by name alone; `left_out` ones not
    at all. Raises TypeError unless each field of the class is in one of them: a new field has to be decided on.
    """

    def __init__(
        self,
        object_type: str,
        cls: type[Any],
        *,
        shown: Sequence[str],
        withheld: Sequence[str] = (),
        left_out: Sequence[str] = (),
    ) -> None:
        named = [*shown, *withheld, *left_out]
        fields = {field.name for field in dataclasses.fields(cls)}
        if wrong := fields.symmetric_difference(named) or {name for name in named if named.count(name) > 1}:
            raise TypeError(f"{cls.__name__}: in none or several of shown, withheld and left_out: {sorted(wrong)}")
        self.object_type = object_type
        self._shown = tuple(shown)
        self._withheld = tuple(withheld)

    def changes(self, before: Any, after: Any) -> list[FieldChange]:
        """What differs between two objects of the class; None is one that is not there."""
        found: list[FieldChange] = []
        for name in self._shown:
            found += _differences(name, getattr(before, name, None), getattr(after, name, None))
        differ = [name for name in self._withheld if getattr(before, name, None) != getattr(after, name, None)]
        return found + [FieldChange(field=name, withheld=True) for name in differ]


def record(
    tx: Transaction,
    act: str,
    of: Audited | str,
    id: str,
    *,
    before: Any = None,
    after: Any = None,
    program_id: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Record an act on an object in the transaction that does it.

    `of` says what is told of `before` and `after`; a plain name stands for an object of which only `facts` are told.
    Nothing is recorded where an act is repeated, which `before` and `after` being the same object tells.
    """
    tx.audited = True
    if tx.actor is None or (before is after is not None):
        return
    found = of.changes(before, after) if isinstance(of, Audited) else []
    for name, value in (facts or {}).items():
        found += _differences(name, None, value)
    tx.emit(
        AdministrativeActRecorded(
            service=tx.service,
            act=act,
            actor_id=tx.actor.id,
            session=tx.actor.session,
            object_type=of.object_type if isinstance(of, Audited) else of,
            object_id=id,
            program_id=program_id,
            changes=found[:MAX_CHANGES],
            occurred_at=tx.now,
        )
    )


def record_import(tx: Transaction, act: str, batch: ImportBatch[Any], *, preview: bool) -> None:
    """Record that rows of the past were taken into a programme; a preview leaves no trace, and neither do rows
    that were taken before."""
    if preview or not batch.refs:
        return nothing_done(tx)
    facts = {"source": batch.source, "rows": len(batch.rows), "accepted": len(batch.refs)}
    return record(tx, act, "program", batch.scope, program_id=batch.scope, facts=facts)


def nothing_done(tx: Transaction) -> None:
    """Say that the command changed nothing, such as a preview, and leaves no trace."""
    tx.audited = True


def _differences(name: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after:
        return
    first, second = _parts(before), _parts(after)
    if first is None or second is None:
        was, became = _texts(before, after)
        yield FieldChange(field=name[:MAX_NAME], before=was, after=became)
        return
    for step in dict.fromkeys((*first, *second)):
        yield from _differences(f"{name}.{step}", first.get(step), second.get(step))


def _parts(value: Any) -> Mapping[str, Any] | None:
    """The named parts of a value; None where it has none."""
    if value is None:
        return {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {str(key): one for key, one in value.items()} if isinstance(value, Mapping) else None


def _texts(before: Any, after: Any) -> tuple[str | None, str | None]:
    was, became = _text(before), _text(after)
    if max(len(was or ""), len(became or "")) > MAX_VALUE and _is_list(before) and _is_list(after):
        old, new = {_text(one) for one in before}, {_text(one) for one in after}
        was = _text([one for one in before if _text(one) not in new])
        became = _text([one for one in after if _text(one) not in old])
    return _cut(was), _cut(became)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return json.dumps(_plain(value) if isinstance(value, Set) else value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Set):
        return sorted(value)
    parts = _parts(value)
    return str(value) if parts is None else parts


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
