"""People from a CSV file: previewed, and imported when confirmed, chunk by chunk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from chassis.ids import new_id
from chassis.jobs import JobContext
from chassis.mongo import Transaction
from chassis.web.problems import Conflict, Overloaded
from services.program import event_mapping
from services.program.context import Context
from services.program.domain.imports import LineViolation, Plan, Row, plan, read
from services.program.domain.people import Person
from services.program.store.imports import CHUNK_ROWS, MAX_ERRORS, Import

logger = logging.getLogger(__name__)
IN_REQUEST_ROWS = 5_000
"""Up to so many people are imported while the request waits; a job imports more."""

ABANDONED = timedelta(seconds=15)
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
    """What a file would change; its valid rows are set aside, nobody is touched. Raises Refused.

    Insert the import itself to make it known: until then, what was set aside belongs to nothing and goes away.
    """
    sheet = await asyncio.to_thread(read, data)
    now = context.clock.now()
    id = new_id()
    found = _Preview()
    chunks = 0
    rows = sheet.rows()
    while part := list(islice(rows, CHUNK_ROWS)):
        valid = [row for row in part if isinstance(row, Row)]
        for errors in part:
            if not isinstance(errors, Row):
                found.reject(errors)
        planned = _plan(context, valid, await context.people.matching(valid))
        found.reject(planned.errors)
        wrong = {error.line for error in planned.errors}
        kept = [row for row in valid if row.line not in wrong]
        found.total += len(part)
        found.new += len(planned.created)
        found.changed += len(planned.changed)
        found.unchanged += planned.unchanged
        found.sample.extend(kept[: SAMPLE_ROWS - len(found.sample)])
        if kept:
            await context.imports.put_chunk(id, chunks, kept, now)
            chunks += 1
    valid_total = found.new + found.changed + found.unchanged
    figures = {name: getattr(found, name) for name in _Preview.__dataclass_fields__}
    return Import(id=id, valid=valid_total, chunks=chunks, created_by=by, created_at=now, touched_at=now, **figures)


async def keep(context: Context, tx: Transaction, previewed: Import) -> Import:
    """Make a previewed import known."""
    await context.imports.insert(previewed, tx)
    return previewed


async def confirm(context: Context, tx: Transaction, id: str) -> Import:
    """Have the rows imported; repeating changes nothing. Raises NotFound, Conflict `nothing-to-import`."""
    found = await context.imports.get(id, tx)
    if found.state != "previewed":
        return found
    if not found.valid:
        raise Conflict("No row of the file can be imported.", type_="nothing-to-import")
    await context.imports.confirm(id, tx)
    return replace(found, state="importing", confirmed_at=tx.now, touched_at=tx.now)


async def import_at_once(context: Context, id: str) -> Import:
    """A confirmed import that is small enough is over when this returns; a larger one is left to the job, and so
    is one that another process holds on to (a transaction outlives a process that was killed by up to a minute)."""
    found = await context.imports.get(id)
    if found.state == "importing" and found.valid <= IN_REQUEST_ROWS:
        with suppress(Overloaded):
            await run(context, id)
        found = await context.imports.get(id)
    return found


async def run(
    context: Context, id: str, transact: Transact | None = None, *, may_go_on: Callable[[], bool] = lambda: True
) -> None:
    """Import what is left of a confirmed import, each chunk in a transaction. Any number of processes may do so
    at once, and another may go on where one ended."""
    go = transact or context.mongo.transact

    async def one(tx: Transaction) -> bool:
        return await import_chunk(context, tx, id)

    while may_go_on():
        if not await go(one):
            await context.imports.forget_rows(id)
            return


async def import_chunk(context: Context, tx: Transaction, id: str) -> bool:
    """Import the next chunk: people, their events and the import's own progress. False once all is done."""
    before = await context.imports.claim_chunk(id, tx)
    if before is None:
        return False
    rows = await context.imports.chunk(id, before.next_chunk, tx)
    if rows is None:
        logger.error("the rows of import %s are gone", id)
        await context.imports.finish(id, "failed", tx)
        return False
    planned = _plan(context, rows, await context.people.matching(rows, tx), tx)
    await context.people.write(tx, created=planned.created, changed=planned.changed)
    for person in planned.created:
        tx.emit(event_mapping.person_provisioned(person, "import"))
    for _, person in planned.changed:
        tx.emit(event_mapping.person_updated(person))
    await context.imports.advance(id, planned, tx)
    if before.next_chunk + 1 < before.chunks:
        return True
    await context.imports.finish(id, "done", tx)
    return False


async def import_unfinished(context: Context, job: JobContext) -> None:
    """The job: what was too large for a request, and what a process that died left behind."""
    since = context.clock.now() - ABANDONED
    for id in await context.imports.unfinished(rows_over=IN_REQUEST_ROWS, untouched_since=since):
        await run(context, id, job.lease.transact, may_go_on=lambda: job.may_go_on)


def _plan(context: Context, rows: Sequence[Row], known: Sequence[Person], tx: Transaction | None = None) -> Plan:
    now = tx.now if tx else context.clock.now()
    return plan(rows, known, now=now, new_id=new_id, locale=context.settings.program_locale)
