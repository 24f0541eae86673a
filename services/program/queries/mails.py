"""What people want of mails, and which they got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.mongo import Transaction
from chassis.web.problems import NotFound
from services.program.context import Context
from services.program.domain import mails
from services.program.domain.mails import KINDS, Mail
from services.program.mail.message import address_digest

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of mail of a programme, and whether a reader wants it."""

    kind: str
    program_id: str
    program: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Of each kind and programme that concerns a person, whether they want it; why they get none at all; and the mails
    of the last months."""

    choices: Sequence[Choice]
    stopped: str | None
    mails: Sequence[Mail]


async def choice(context: Context, token: str, kind: str, program_id: str, tx: Transaction | None = None) -> Choice:
    """What the reader of a token wants. Raises NotFound."""
    reader = await context.mails.reader_by_token(token, tx)
    if reader is None:
        raise NotFound("reader", "of this link")
    present = await context.people.present_id(reader.id, tx)
    if present != reader.id:
        reader = (await context.mails.readers([present], tx)).get(present, reader)
    if kind not in KINDS:
        raise NotFound("kind of mail", kind)
    program = await context.programs.get(program_id, tx)
    return Choice(kind, program_id, program.name, mails.choice(kind, program_id) not in reader.silenced)


async def choices(context: Context, person_id: str, tx: Transaction | None = None) -> Choices:
    """Raises NotFound."""
    person = await context.people.get(person_id, tx)
    reader = (await context.mails.readers([person_id], tx)).get(person_id)
    silenced = reader.silenced if reader else ()
    programs = await context.programs.get_many([one.program_id for one in person.memberships], tx)
    found = [
        Choice(kind, program.id, program.name, mails.choice(kind, program.id) not in silenced)
        for program in programs.values()
        for kind in KINDS
    ]
    stopped = None
    if reader and reader.complained_at:
        stopped = "complained"
    elif reader and person.email and reader.bounced == address_digest(person.email):
        stopped = "bounced"
    return Choices(found, stopped, await context.mails.of_person(person_id, SHOWN))
