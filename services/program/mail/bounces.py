"""Bounces and complaints read from the mailbox that they come back to.

What a message says and how far the mailbox was read are one transaction: a reader that dies reads no message twice and
passes none over. A message that is no report stays as it is, unread. While the mailbox cannot be read, mails go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, ParamSpec, TypeVar

from opentelemetry.metrics import CallbackOptions, Observation

from chassis.jobs import JobContext
from chassis.mongo import Transaction
from chassis.telemetry.otel import Telemetry
from services.program.commands import mails
from services.program.context import Context
from services.program.mail.mailbox import SECONDS, Account, Mailbox, Unreachable
from services.program.mail.reports import Report, read_report

logger = logging.getLogger(__name__)
PAUSES: Final = (60.0, 120.0, 300.0, 900.0, 1800.0)
"""Seconds until the next attempt after the mailbox could not be read, once, twice and so on: a wrong password must not
lock the account."""
P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class BounceReader:
    """Takes the reports that have come to the mailbox since it looked last."""

    context: Context
    account: Account
    telemetry: Telemetry

    def __post_init__(self) -> None:
        self._failures = 0
        self._failing_since: float | None = None
        self._paused_until = 0.0
        self._messages = self.telemetry.counter(
            "herald.mail.mailbox.messages", "Messages read from the mailbox of bounces, by what they are", kind="bounce"
        )
        self.telemetry.meter.create_observable_gauge(
            "herald.mail.mailbox.away",
            callbacks=[self._away],
            unit="s",
            description="For how long the mailbox of bounces could not be read",
        )

    def _away(self, _: CallbackOptions) -> Iterable[Observation]:
        since = self._failing_since
        return [Observation(time.monotonic() - since if since is not None else 0.0)]

    async def run(self, job: JobContext) -> None:
        """Read what is new."""
        if time.monotonic() < self._paused_until:
            return
        mailbox = Mailbox(self.account)
        try:
            await self._read(mailbox, job)
        except Unreachable as error:
            self._pause(error)
        else:
            self._failures, self._failing_since = 0, None
        finally:
            mailbox.abort()

    async def _read(self, mailbox: Mailbox, job: JobContext) -> None:
        """Raises Unreachable."""
        validity = await _apart(mailbox, mailbox.open)
        last = await self.context.mails.read_up_to(self.account.id, validity)
        for uid in await _apart(mailbox, mailbox.after, last):
            if not job.may_go_on:
                return
            content = await _apart(mailbox, mailbox.fetch, uid)
            report = await asyncio.to_thread(read_report, content) if content is not None else None
            known = await job.lease.transact(partial(self._take, validity, uid, report))
            kind = report.kind if report and known else "unknown" if report else "none"
            self._messages.add(1, {"kind": kind})
            if known:
                await _apart(mailbox, mailbox.mark_read, uid)
        await _apart(mailbox, mailbox.close)

    async def _take(self, validity: int, uid: int, report: Report | None, tx: Transaction) -> bool:
        await self.context.mails.note_read_up_to(self.account.id, validity, uid, tx)
        return await mails.take_report(self.context, tx, report)

    def _pause(self, error: Unreachable) -> None:
        now = time.monotonic()
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self._paused_until = now + pause
        self._failing_since = self._failing_since or now
        logger.warning("the mailbox of bounces cannot be read (%s); next attempt in %.0f s", error, pause)


async def _apart(mailbox: Mailbox, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """In a thread; one that outlasts the time that it has loses its connection. Raises Unreachable."""
    try:
        async with asyncio.timeout(2 * SECONDS):
            return await asyncio.to_thread(work, *arguments, **named)
    except TimeoutError:
        mailbox.abort()
        raise Unreachable("no answer in time") from None
