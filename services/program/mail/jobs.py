"""What mails do by the clock."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from chassis.jobs import Job, JobContext
from chassis.mongo import Transaction
from chassis.telemetry.otel import Telemetry
from services.program.commands import mails, newsletters
from services.program.context import Context
from services.program.domain.lessons import Lesson
from services.program.domain.newsletters import Newsletter, may_begin
from services.program.domain.programs import today
from services.program.domain.waves import REMINDED_BEFORE, Wave, reminds_on
from services.program.mail.bounces import BounceReader
from services.program.mail.mailbox import Account
from services.program.mail.message import Sending
from services.program.mail.sender import Sender
from services.program.mail.smtp import Server


def mail_jobs(context: Context, telemetry: Telemetry) -> list[Job]:
    """Where there is a mailbox of bounces, it is read every minute. Where there is an SMTP server, mails that are due
    are looked for every second, newsletters every 5 s, and who is to be reminded of a lesson or a wave every 6 h."""
    account = _mailbox(context)
    found = (
        [] if account is None else [Job("bounces", timedelta(minutes=1), BounceReader(context, account, telemetry).run)]
    )
    if not context.settings.sends_mail:
        return found
    return [
        *found,
        Job("newsletters", timedelta(seconds=5), partial(run_newsletters, context)),
        Job("lesson reminders", timedelta(hours=6), partial(remind_of_lessons, context)),
        Job("wave reminders", timedelta(hours=6), partial(remind_of_waves, context)),
        Job("mail", timedelta(seconds=1), mail_sender(context, telemetry).run),
    ]


async def run_newsletters(context: Context, job: JobContext) -> None:
    """Begin newsletters whose time has come, make their mails, and close those of which every mail is over."""
    now = context.clock.now()
    transact = job.lease.transact
    for found in await context.newsletters.in_state("scheduled"):
        if may_begin(found, now):
            await transact(partial(_begin, context, found))
    for found in await context.newsletters.in_state("sending"):
        while job.may_go_on and await transact(partial(_expand, context, found)):
            pass
        await transact(partial(_finish, context, found))


async def remind_of_lessons(context: Context, job: JobContext) -> None:
    """Remind ambassadors, once, of lessons that something requires and that they have not completed after a week."""
    for lesson in await context.lessons.required(context.clock.now() - mails.REMIND_AFTER):
        program = await context.programs.get(lesson.program_id)
        after: str | None = None
        while program.archived_at is None and job.may_go_on:
            after = await job.lease.transact(partial(_remind, context, lesson, after))
            if after is None:
                break


async def remind_of_waves(context: Context, job: JobContext) -> None:
    """Remind the cohorts of running waves, once, that a wave is about to end."""
    now = context.clock.now()
    for wave in await context.waves.ending((now + REMINDED_BEFORE + timedelta(days=1)).date()):
        program = await context.programs.get(wave.program_id)
        if program.archived_at is not None or not reminds_on(wave, today(program, now)):
            continue
        after: str | None = ""
        while after is not None and job.may_go_on:
            after = await job.lease.transact(partial(_remind_of_wave, context, wave, after))


def mail_sender(context: Context, telemetry: Telemetry) -> Sender:
    """What sends mails, by the settings. Raises ValueError without an SMTP server."""
    settings = context.settings
    if settings.smtp_host is None or settings.mail_from is None:
        raise ValueError("no SMTP server")
    host = urlsplit(settings.public_url).hostname or "localhost"
    server = Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        ca_file=settings.smtp_ca_file,
        timeout=settings.smtp_timeout,
        connections=settings.smtp_connections,
        own_name=host,
    )
    bounces = settings.mail_bounces or settings.mail_from
    sending = Sending(settings.mail_from, bounces, settings.mail_reply_to, host, settings.signer)
    return Sender(context, server, sending, settings.mail_rate, telemetry)


def _mailbox(context: Context) -> Account | None:
    """The mailbox that bounces come back to, by the settings."""
    settings = context.settings
    if settings.imap_host is None or settings.imap_username is None or settings.imap_password is None:
        return None
    return Account(
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security,
        username=settings.imap_username,
        password=settings.imap_password.get_secret_value(),
        ca_file=settings.imap_ca_file,
        folder=settings.imap_folder,
    )


async def _remind(context: Context, lesson: Lesson, after: str | None, tx: Transaction) -> str | None:
    return await mails.remind_of_lesson(context, tx, lesson, after)


async def _remind_of_wave(context: Context, wave: Wave, after: str, tx: Transaction) -> str | None:
    return await mails.remind_of_wave(context, tx, wave, after)


async def _begin(context: Context, found: Newsletter, tx: Transaction) -> None:
    await newsletters.begin_newsletter(context, tx, found.program_id, found.id)


async def _expand(context: Context, found: Newsletter, tx: Transaction) -> bool:
    return await newsletters.expand_newsletter(context, tx, found.program_id, found.id)


async def _finish(context: Context, found: Newsletter, tx: Transaction) -> bool:
    return await newsletters.finish_newsletter(context, tx, found.program_id, found.id)
