"""What runs by the clock."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final

from chassis.jobs import Job, JobContext
from chassis.mongo import Transaction
from chassis.web.problems import StaleVersion
from services.program.commands import access, expert_acts, imports, referrals, surveys, waves
from services.program.context import Context
from services.program.domain.programs import today
from services.program.domain.surveys import Survey

ABANDONED: Final = timedelta(seconds=15)
ANNOUNCED_AT_ONCE: Final = 200
EXPIRED_AT_ONCE: Final = 200
UNUSED: Final = timedelta(days=1)
"""How long a picture that nothing shows is kept."""
PICTURES_AT_ONCE: Final = 100


def jobs(context: Context) -> list[Job]:
    """Confirmed imports that are not over are looked for every 2 s, surveys whose last day is over every 5 s,
    devices whose time is over every 10 s, expert acts whose time is over and candidates to forget every 30 s, and
    pictures that nothing shows every 10 min."""
    return [
        Job("imports", timedelta(seconds=2), partial(import_unfinished, context)),
        Job("cohorts", timedelta(seconds=2), partial(fill_cohorts, context)),
        Job("surveys", timedelta(seconds=5), partial(close_surveys, context)),
        Job("candidates", timedelta(seconds=30), partial(forget_candidates, context)),
        Job("expert_acts", timedelta(seconds=30), partial(expire_expert_acts, context)),
        Job("pictures", timedelta(minutes=10), partial(delete_unused_pictures, context)),
        Job("devices", timedelta(seconds=10), partial(end_devices, context)),
    ]


async def import_unfinished(context: Context, job: JobContext) -> None:
    """Import what is too large for a request, and what a dead process left unfinished."""
    since = context.clock.now() - ABANDONED
    for id in await context.imports.unfinished(rows_over=imports.IN_REQUEST_ROWS, untouched_since=since):
        await imports.run(context, id, job.lease.transact, may_go_on=lambda: job.may_go_on)


async def close_surveys(context: Context, job: JobContext) -> None:
    """Close the surveys whose last day is over, and announce of those who answered a closed one that they did."""
    now = context.clock.now()
    for survey in await context.surveys.closing(now.date().isoformat()):
        program = await context.programs.get(survey.program_id)
        if survey.closes_on < today(program, now):
            await job.lease.transact(partial(_close, context, survey))
    for survey in await context.surveys.closed_with_answered():
        while job.may_go_on and await job.lease.transact(partial(_announce, context, survey)):
            pass


async def delete_unused_pictures(context: Context, job: JobContext) -> None:
    """Delete pictures that were sent a day ago and that nothing shows."""
    for id in await context.pictures.unused(context.clock.now() - UNUSED, PICTURES_AT_ONCE):
        await job.lease.transact(partial(context.pictures.delete_unused, id))


async def fill_cohorts(context: Context, job: JobContext) -> None:
    """Put those into the cohort of a started wave, or take those out of a withdrawn one, whom its start left over."""
    for filling in await context.waves.due_fillings(context.clock.now()):
        go_on = partial(_fill, context, filling.id)
        while job.may_go_on and await job.lease.transact(go_on):
            pass


async def _fill(context: Context, wave_id: str, tx: Transaction) -> bool:
    return await waves.fill(context, tx, wave_id)


async def expire_expert_acts(context: Context, job: JobContext) -> None:
    """What was not decided in time, or was confirmed long ago."""
    for act in await context.expert_acts.overdue(context.clock.now(), EXPIRED_AT_ONCE):
        with suppress(StaleVersion):  # it was decided meanwhile
            await job.lease.transact(partial(expert_acts.expire, context, act=act))


async def forget_candidates(context: Context, job: JobContext) -> None:
    """Delete what the recruiting system calls those candidates whose day has come."""
    for referral in await context.referrals.to_forget(context.clock.now(), EXPIRED_AT_ONCE):
        with suppress(StaleVersion):  # the recruiting system spoke of them meanwhile
            await job.lease.transact(partial(referrals.forget, context, referral=referral))


async def _close(context: Context, survey: Survey, tx: Transaction) -> Survey:
    return await surveys.close_survey(context, tx, survey.program_id, survey.id)


async def _announce(context: Context, survey: Survey, tx: Transaction) -> bool:
    return await surveys.announce_answered(context, tx, survey, ANNOUNCED_AT_ONCE)


async def end_devices(context: Context, job: JobContext) -> None:
    """Sign out the devices whose time is over."""
    for person in await context.people.with_ended_access(context.clock.now(), ANNOUNCED_AT_ONCE):
        if job.may_go_on:
            await job.lease.transact(partial(_end_devices, context, person.id))


async def _end_devices(context: Context, person_id: str, tx: Transaction) -> None:
    await access.forget_ended(context, tx, person_id)
