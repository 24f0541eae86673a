"""What runs by the clock."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from chassis.jobs import Job, JobContext
from services.sharing import commands
from services.sharing.context import Context

BATCH: Final = 100


def jobs(context: Context) -> list[Job]:
    """Removals that can be undone no more are looked for every 2 s."""
    return [Job("finish-removals", timedelta(seconds=2), partial(finish_removals, context))]


async def finish_removals(context: Context, job: JobContext) -> None:
    """Tell others of posts that were taken back, once their time to be restored is over."""
    while job.may_go_on and (due := await context.store.posts.removals_due(context.clock.now(), BATCH)):
        for id in due:
            if job.may_go_on:
                await job.lease.transact(partial(commands.finish_post_removal, context, id=id))
