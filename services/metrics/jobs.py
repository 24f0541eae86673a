"""What runs by the clock."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from functools import partial

from chassis.jobs import Job, JobContext
from chassis.mongo import Document
from services.metrics import commands, queries
from services.metrics.context import Context

MAX_REMEMBERED = 10_000


def jobs(context: Context) -> list[Job]:
    """Objectives are looked at every 2 s, waiting acts every 5 s."""
    objectives = Objectives(context)
    return [
        Job("objectives", timedelta(seconds=2), objectives.find_reached),
        Job("waiting", timedelta(seconds=5), partial(book_waiting, context)),
    ]


class Objectives:
    """Finds objectives that were reached, by reading only what moved since it looked last."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    async def find_reached(self, job: JobContext) -> None:
        """Announce each open objective whose figure has come to its target."""
        after = ""
        while job.may_go_on and (page := await self._context.store.objectives.open(after)):
            after = page[-1]["_id"]
            for objective in page:
                await self._check(objective, job)

    async def _check(self, objective: Document, job: JobContext) -> None:
        context = self._context
        version = await context.store.changes.version_of(objective["program_id"])
        state = (objective["revision"], version.number)
        if self._seen.get(objective["_id"]) == state:
            return
        program = await context.store.program(objective["program_id"])
        if program is None:
            return
        standing = await queries.objective_standing(context, program, objective, version)
        if standing is not None and standing.value >= objective["target"]:
            value = standing.value
            await job.lease.transact(lambda tx: commands.reach_objective(context, tx, objective, value, version))
        self._seen[objective["_id"]] = state
        self._seen.move_to_end(objective["_id"])
        while len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)


async def book_waiting(context: Context, job: JobContext) -> None:
    """Book what waited for a programme that is known by now, some acts a transaction."""
    for program_id in await context.store.programs_with_waiting():
        book = partial(commands.book_waiting, context, program_id=program_id)
        while job.may_go_on and await job.lease.transact(book):
            pass
