"""The worker that sends what is due.

Each mail is claimed for as long as an attempt may take, handed to the SMTP server, and then noted as sent. A sender
that dies in between leaves its claims to run out: whoever comes next sends those again, under the same Message-ID, and
no others. So nobody is left out, and at most as many mails go twice as there are connections.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from limits import parse
from opentelemetry.metrics import CallbackOptions, Observation
from pymongo.errors import PyMongoError

from chassis.failpoints import failpoint
from chassis.ids import new_id
from chassis.jobs import JobContext
from chassis.telemetry.otel import Telemetry
from chassis.web.problems import NotFound
from services.program.context import Context
from services.program.domain import mails
from services.program.domain.mails import KINDS, Mail, SkipReason
from services.program.domain.people import Person
from services.program.domain.programs import Program, choose_language
from services.program.domain.quiet_times import Moment, clock_of, first_moment
from services.program.mail.layout import Layout, Written, lay_out
from services.program.mail.message import Envelope, Sending, Unwritable, address_digest, compose
from services.program.mail.newsletter import look_of, newsletter_written
from services.program.mail.notices import NOTICES
from services.program.mail.smtp import Away, Later, Pool, Refused, Server
from services.program.mail.zones import zones

logger = logging.getLogger(__name__)
CLAIM_SPARE: Final = 10.0
"""Seconds that a claim outlasts the time an attempt may take."""
PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds for which nothing is sent after the server was away, once, twice and so on."""
CACHED: Final = 50
STALE: Final = 300.0
"""Seconds after which what was seen last to be due says nothing any more; longer than an attempt takes."""


@dataclass
class Sender:
    """Sends what is due, over a few connections at once and at a rate."""

    context: Context
    server: Server
    sending: Sending
    rate: str
    telemetry: Telemetry
    name: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self._pool = Pool(self.server)
        limit = parse(self.rate)
        self._gap = limit.get_expiry() / limit.amount
        self._next = 0.0
        self._paused_until = 0.0
        self._away = 0
        self._oldest: datetime | None = None
        self._looked_at = 0.0
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._mails = self.telemetry.counter(
            "herald.mail.mails", "Mails by kind and what came of an attempt", kind="newsletter", outcome="sent"
        )
        self.telemetry.meter.create_observable_gauge(
            "herald.mail.oldest.age",
            callbacks=[self._age],
            unit="s",
            description="Age of the oldest mail that is due and was not sent",
        )

    def _age(self, _: CallbackOptions) -> Iterable[Observation]:
        # Whoever has the job no more knows nothing of what is due.
        since = self._oldest if time.monotonic() - self._looked_at < STALE else None
        return [Observation(max(0.0, (self.context.clock.now() - since).total_seconds()) if since else 0.0)]

    async def run(self, job: JobContext) -> None:
        """Send until nothing is due, or no server takes mail."""
        self._oldest = await self.context.mails.oldest_due(self.context.clock.now())
        self._looked_at = time.monotonic()
        if self._oldest is None:
            await self._pool.close()
            return
        if asyncio.get_running_loop().time() < self._paused_until:
            return
        async with asyncio.TaskGroup() as group:
            for _ in range(self.server.connections):
                group.create_task(self._keep_sending(job))

    async def _keep_sending(self, job: JobContext) -> None:
        """One mail after the other; what was claimed when MongoDB went away is due again when its claim runs out."""
        try:
            await self._send_due(job)
        except PyMongoError as error:
            logger.warning("mails wait: %s", type(error).__name__)

    async def _send_due(self, job: JobContext) -> None:
        loop = asyncio.get_running_loop()
        while job.may_go_on and loop.time() >= self._paused_until:
            await self._keep_to_rate()
            now = self.context.clock.now()
            until = now + timedelta(seconds=self.server.timeout + CLAIM_SPARE)
            mail = await self.context.mails.claim(self.name, now, until)
            if mail is None:
                return
            self._oldest = min(self._oldest or mail.first_due_at, mail.first_due_at)
            self._looked_at = time.monotonic()
            failpoint("mail.claimed")
            await self._deliver(mail)

    async def _keep_to_rate(self) -> None:
        loop = asyncio.get_running_loop()
        at = max(self._next, loop.time())
        self._next = at + self._gap
        await asyncio.sleep(at - loop.time())

    async def _deliver(self, mail: Mail) -> None:
        """One attempt, and what came of it."""
        prepared = await self._prepare(mail)
        if isinstance(prepared, Moment):
            await self._note(mail, mails.wait(mail, prepared.at, prepared.reason or "night"), "waits")
            return
        if not isinstance(prepared, Envelope):
            await self._note(mail, mails.skipped(mail, self.context.clock.now(), prepared), "skipped")
            return
        try:
            code = await self._pool.send(prepared)
        except Away as error:
            await self._pause(mail, error)
            return
        except Later as error:
            after = mails.postponed(mail, self.context.clock.now(), error.code)
            await self._note(mail, after, "postponed" if after.state == "due" else after.state)
            return
        except Refused as error:
            await self._refused(mail, error, address_digest(prepared.recipient))
            return
        failpoint("mail.handed-over")
        self._away = 0
        await self._note(mail, mails.sent(mail, self.context.clock.now(), code), "sent")

    async def _pause(self, mail: Mail, error: Away) -> None:
        """Put the mail back; nothing is sent for a while."""
        pause = PAUSES[min(self._away, len(PAUSES) - 1)]
        loop = asyncio.get_running_loop()
        if loop.time() >= self._paused_until:
            self._away += 1
            self._paused_until = loop.time() + pause
            logger.warning("the SMTP server takes no mail (%s); next attempt in %.0f s", error, pause)
        again = self.context.clock.now() + timedelta(seconds=pause)
        await self._note(mail, mails.put_back(mail, again), "put_back")

    async def _refused(self, mail: Mail, error: Refused, digest: str) -> None:
        self._away = 0
        if error.unknown_address:
            await self.context.mails.note_bounced(mail.person_id, digest)
        await self._note(mail, mails.refused(mail, self.context.clock.now(), error.code), "refused")

    async def _note(self, before: Mail, after: Mail, outcome: str) -> None:
        if not await self.context.mails.save(before, after):
            outcome = "claim_lost"
        self._mails.add(1, {"kind": before.kind, "outcome": outcome})

    # --- what is sent --------------------------------------------------------------------------------------------

    async def _prepare(self, mail: Mail) -> Envelope | SkipReason | Moment:
        """The mail as it goes, or why it must not go, or when it may."""
        context, now = self.context, self.context.clock.now()
        if mails.is_outdated(mail, now):
            return "outdated"
        try:
            person = await context.people.get(mail.person_id)
            program = await context.programs.get(mail.program_id)
        except NotFound:
            return "inactive"
        if (why := _why_not_person(mail, person)) is not None:
            return why
        assert person.email is not None
        if context.settings.mail_rest and not mail.test:
            moment = first_moment(now, clock_of(person, program.time_zone, zones()))
            if moment.reason is not None:
                return moment
        reader = await context.mails.reader(person.id)
        try:
            if (why := mails.why_not(mail, reader, address_digest(person.email))) is not None:
                return why
            language = choose_language(dict.fromkeys(program.languages), person.locale, program.languages)
            layout = await self._layout(mail, program, language)
            if layout is None:
                return "stopped"
            stop = stop_page(context.settings.public_url, reader.token, mail.kind, program.id)
            archive = f"{context.settings.public_url}/newsletters" if mail.kind == "newsletter" else None
            return compose(
                mail, layout, person.email, self.sending, name=program.name, now=now, stop=stop, archive=archive
            )
        except Unwritable:
            logger.warning("mail %s cannot be written", mail.id)
            return "unwritable"

    async def _layout(self, mail: Mail, program: Program, language: str) -> Layout | None:
        """What it says in a language; None where it is said no more."""
        written: Written | None
        key: tuple[str, ...]
        if mail.kind == "newsletter":
            try:
                newsletter = await self.context.newsletters.get(program.id, mail.subject_id)
            except NotFound:
                return None
            if newsletter.state != "sending" and not mail.test:
                return None
            key = ("newsletter", newsletter.id, str(newsletter.version), str(program.version), language)
            if key in self._layouts:
                return self._layouts[key]
            written = newsletter_written(newsletter, program, language, self.context.settings.public_url)
        else:
            key = (mail.kind, mail.subject_id, str(program.version), language)
            written = await NOTICES[mail.kind](self.context, mail, program, language)
        if written is None:
            return None
        while len(self._layouts) >= CACHED:
            self._layouts.pop(next(iter(self._layouts)))
        found = self._layouts[key] = lay_out(written, look_of(program))
        return found


def stop_page(public_url: str, token: str, kind: str, program_id: str) -> str:
    """Where a reader says that they want a kind of mail of a programme no more."""
    return f"{public_url}/mail/{token}/{kind}/{program_id}"


def _why_not_person(mail: Mail, person: Person) -> SkipReason | None:
    if not person.active:
        return "inactive"
    if not person.email:
        return "no_address"
    membership = person.membership(mail.program_id)
    if mail.kind == "invitation":
        return None if membership is not None and membership.status == "invited" else "outdated"
    if not (mail.test or KINDS[mail.kind].everyone) and mail.program_id not in person.joined:
        return "not_a_member"
    return None
