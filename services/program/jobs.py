"""What runs by the clock."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from chassis.jobs import Job, JobContext
from services.program.commands import imports
from services.program.context import Context

ABANDONED: Final = timedelta(seconds=15)


def jobs(context: Context) -> list[Job]:
    """Confirmed imports that are not over are looked for every 2 s."""
    return [Job("imports", timedelta(seconds=2), partial(import_unfinished, context))]


async def import_unfinished(context: Context, job: JobContext) -> None:
    """Import what is too large for a request, and what a dead process left unfinished."""
    since = context.clock.now() - ABANDONED
    for id in await context.imports.unfinished(rows_over=imports.IN_REQUEST_ROWS, untouched_since=since):
        await imports.run(context, id, job.lease.transact, may_go_on=lambda: job.may_go_on)
