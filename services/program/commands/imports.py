"""People from a CSV file: previewed, and imported when confirmed, chunk by chunk."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.offload import TooMuchWork
from chassis.web.problems import Conflict, Overloaded, Refused
from services.program import event_mapping
from services.program.audit import IMPORT
from services.program.context import Context
from services.program.domain.columns import IGNORED, chosen, heading_key
from services.program.domain.imports import Import, Plan, Row, first_spellings, plan, respelled, teams_of
from services.program.domain.people import Person
from services.program.domain.reading import FileHead, head_of, read_people, rows_of
from services.program.domain.tables import LineViolation
from services.program.store.imports import CHUNK_ROWS, MAX_ERRORS

logger = logging.getLogger(__name__)
IN_REQUEST_ROWS = 5_000
"""The most people that are imported while the request waits; a job imports larger files."""

SAMPLE_ROWS = 5

Transact = Callable[[Callable[[Transaction], Awaitable[bool]]], Awaitable[bool]]


@dataclass
class _Preview:
    """Figures of a file while it is read."""

    total: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    errors_total: int = 0
    errors: list[LineViolation] = field(default_factory=list)
    sample: list[Row] = field(default_factory=list)

    def reject(self, errors: Sequence[LineViolation]) -> None:
        self.errors_total += len(errors)
        self.errors.extend(errors[: MAX_ERRORS - len(self.errors)])


async def preview(context: Context, data: bytes, *, by: str) -> Import:
    """Previews what a file would change. Its valid rows are stored; no person is changed. Raises Refused.

    Insert the returned import: rows that belong to no import expire.
    """
    now = context.clock.now()
    bare = Import(id=new_id(), created_by=by, created_at=now, touched_at=now)
    previewed = await _previewed(context, bare, data, None)
    await context.imports.put_file(bare.id, data, now)
    return previewed


async def preview_again(context: Context, id: str, columns: Sequence[str | None]) -> Import:
    """Previews the file of an import with these columns. Raises NotFound, Invalid, and Conflict `already-confirmed`.
    `choose_columns` stores the result."""
    before = await context.imports.get(id)
    if before.state != "previewed":
        raise Conflict("Its columns can be chosen before it is confirmed.", type_="already-confirmed")
    chosen([one.heading for one in before.columns], columns)
    bare = Import(
        id=id,
        edition=before.edition + 1,
        created_by=before.created_by,
        created_at=before.created_at,
        touched_at=context.clock.now(),
    )
    return await _previewed(context, bare, await context.imports.file(id), columns)


async def _previewed(context: Context, bare: Import, data: bytes, columns: Sequence[str | None] | None) -> Import:
    remembered = await context.imports.remembered()
    said = {"remembered": remembered, "columns": columns, "size": CHUNK_ROWS}
    try:
        async with context.offload.stream(read_people, data, **said) as items:
            return await _planned(context, bare, head_of(await anext(items)), items)
    except TooMuchWork:
        error = LineViolation("body", "too-complex", "Reading this file takes too much time or memory.", 1)
        raise Refused("The file cannot be read.", type_="csv-unreadable", errors=[error]) from None


async def _planned(context: Context, bare: Import, head: FileHead, items: AsyncIterator[Any]) -> Import:
    found = _Preview()
    spelled: dict[str, str] = {}
    chunks = 0
    async for item in items:
        found.total += len(item)
        if head.missing:
            continue
        valid: list[Row] = []
        for one in rows_of(item):
            if isinstance(one, Row):
                valid.append(one)
            else:
                found.reject(one)
        if not valid:
            continue
        known = await context.teams.spellings(teams_of(valid))
        valid = respelled(valid, {**first_spellings(valid, spelled), **known})
        planned = _plan(context, valid, await context.people.matching(valid))
        found.reject(planned.errors)
        wrong = {error.line for error in planned.errors}
        kept = [row for row in valid if row.line not in wrong]
        found.new += len(planned.created)
        found.changed += len(planned.changed)
        found.unchanged += planned.unchanged
        found.sample.extend(kept[: SAMPLE_ROWS - len(found.sample)])
        if kept:
            await context.imports.put_chunk(bare.rows_id, chunks, kept, bare.touched_at)
            chunks += 1
    found.reject(
        [
            LineViolation(name, "column-missing", "No column of the file is this one.", head.heading_line)
            for name in head.missing
        ]
    )
    figures = {name: getattr(found, name) for name in _Preview.__dataclass_fields__}
    return replace(
        bare,
        encoding=head.encoding,
        delimiter=head.delimiter,
        columns=head.columns,
        missing=head.missing,
        valid=found.new + found.changed + found.unchanged,
        chunks=chunks,
        **figures,
    )


async def choose_columns(context: Context, tx: Transaction, previewed: Import) -> Import:
    """Store a preview with chosen columns, and remember the choice for later files. Raises Conflict
    `already-confirmed`."""
    await context.imports.replace(previewed, tx)
    named = {heading_key(one.heading): one.column or IGNORED for one in previewed.columns}
    await context.imports.remember({key: column for key, column in named.items() if key}, tx)
    audit.record(tx, "choose_import_columns", IMPORT, previewed.id, after=previewed)
    return previewed


async def keep(context: Context, tx: Transaction, previewed: Import) -> Import:
    """Store a previewed import."""
    await context.imports.insert(previewed, tx)
    audit.record(tx, "preview_import", IMPORT, previewed.id, after=previewed)
    return previewed


async def confirm(context: Context, tx: Transaction, id: str) -> Import:
    """Have the rows imported; repeating changes nothing. Raises NotFound, Conflict `columns-missing`,
    `nothing-to-import`."""
    found = await context.imports.get(id, tx)
    if found.state != "previewed":
        audit.nothing_done(tx)
        return found
    if found.missing:
        raise Conflict("Say which columns these are first.", type_="columns-missing", columns=list(found.missing))
    if not found.valid:
        raise Conflict("No row of the file can be imported.", type_="nothing-to-import")
    await context.imports.confirm(id, tx)
    confirmed = replace(found, state="importing", confirmed_at=tx.now, touched_at=tx.now)
    audit.record(tx, "confirm_import", IMPORT, id, before=found, after=confirmed, facts={"rows": found.valid})
    return confirmed


async def import_at_once(context: Context, id: str) -> Import:
    """Runs a small confirmed import to its end. A larger one is left to the job, and so is one that another process is
    working on (the transaction of a killed process lasts up to a minute)."""
    found = await context.imports.get(id)
    if found.state == "importing" and found.valid <= IN_REQUEST_ROWS:
        with suppress(Overloaded):
            await run(context, id)
        found = await context.imports.get(id)
    return found


async def run(
    context: Context, id: str, transact: Transact | None = None, *, may_go_on: Callable[[], bool] = lambda: True
) -> None:
    """Import the rest of a confirmed import, each chunk in a transaction. Several processes may do so at once, and one
    may continue where another stopped."""
    go = transact or context.mongo.transact

    async def one(tx: Transaction) -> bool:
        return await import_chunk(context, tx, id)

    while may_go_on():
        if not await go(one):
            await context.imports.forget(await context.imports.get(id))
            return


async def import_chunk(context: Context, tx: Transaction, id: str) -> bool:
    """Import the next chunk: people, their events and the import's own progress. False once all is done."""
    before = await context.imports.claim_chunk(id, tx)
    if before is None:
        return False
    kept = await context.imports.chunk(before.rows_id, before.next_chunk, tx)
    if kept is None:
        logger.error("the rows of import %s are gone", id)
        await context.imports.finish(before, "failed", tx)
        return False
    found = respelled(kept, await context.teams.settle(teams_of(kept)))
    planned = _plan(context, found, await context.people.matching(found, tx), tx)
    await context.people.write(tx, created=planned.created, changed=planned.changed)
    for person in planned.created:
        tx.emit(event_mapping.person_provisioned(person, "import"))
    for _, person in planned.changed:
        tx.emit(event_mapping.person_updated(person))
    await context.imports.advance(id, planned, tx)
    if before.next_chunk + 1 < before.chunks:
        return True
    await context.imports.finish(before, "done", tx)
    return False


def _plan(context: Context, found: Sequence[Row], known: Sequence[Person], tx: Transaction | None = None) -> Plan:
    now = tx.now if tx else context.clock.now()
    return plan(found, known, now=now, new_id=new_id, locale=context.settings.program_locale)
