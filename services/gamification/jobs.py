"""What runs by the clock."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from chassis.jobs import Job, JobContext
from services.gamification import commands
from services.gamification.context import Context
from services.gamification.leaderboard.updater import BoardUpdater

logger = logging.getLogger(__name__)


def jobs(context: Context, updater: BoardUpdater) -> list[Job]:
    """Leaderboards are kept all the time; rebuilds are looked for every second, waiting facts every 5 s."""
    return [
        Job("leaderboards", timedelta(seconds=1), updater.run),
        Job("rebuilds", timedelta(seconds=1), partial(rebuild, context)),
        Job("waiting", timedelta(seconds=5), partial(book_waiting, context)),
    ]


async def rebuild(context: Context, job: JobContext) -> None:
    """Work on the open rebuilds, oldest first, some ambassadors a transaction.

    Each transaction notes how far it came: whoever takes the lease over goes on from there.
    """
    while job.may_go_on and (found := await context.rebuilds.next_open()) is not None:
        match found.state:
            case "queued":
                expected = await context.ledger.count_ambassadors(found.program_id)
                step = partial(commands.begin_rebuild, context, rebuild=found, expected=expected)
            case "running":
                step = partial(commands.rebuild_some, context, rebuild=found)
            case _:
                await context.leaderboard.invalidate()
                step = partial(commands.finish_rebuild, context, rebuild=found)
        moved = await job.lease.transact(step)
        if not moved.open:
            logger.info("balances of %s were rebuilt: %d sums corrected", moved.program_id, moved.corrected)


async def book_waiting(context: Context, job: JobContext) -> None:
    """Book what waited for a programme that is known by now, some facts a transaction."""
    for program_id in await context.programs.with_waiting():
        book = partial(commands.book_waiting, context, program_id=program_id)
        while job.may_go_on and await job.lease.transact(book):
            pass
