"""Mails: one row for each recipient, from the moment it is due to its end, and the right of a person to silence.

A mail is `due` until it is over: `sent`, `refused` by the receiving side, `given_up` after too many attempts, or
`skipped` because it must not go any more. While a sender has it in hand it is due again only when that claim runs out,
so that a sender that dies leaves nobody out; what it had handed over and not noted goes twice, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

MailState = Literal["due", "sent", "refused", "given_up", "skipped"]
FINAL: Final[frozenset[str]] = frozenset({"sent", "refused", "given_up", "skipped"})
SkipReason = Literal[
    "inactive", "no_address", "silenced", "bounced", "complained", "not_a_member", "stopped", "outdated", "unwritable"
]
RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (0.25, 1, 5, 15, 30, 60, 120, 240, 480))
"""How long after an attempt that failed the next one is made; after the last of them no more is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail: to be silenced by itself. `hours` after it was due it is of no use any more; `everyone` says that
    it also goes to people who are not ambassadors of the programme."""

    name: str
    hours: int
    everyone: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    one.name: one
    for one in (
        Kind("newsletter", 72),
        Kind("invitation", 14 * 24, everyone=True),
        Kind("lesson-reminder", 72),
        Kind("wave-reminder", 72),
    )
}
"""A further kind is a row here, a writer in `mail/notices.py` and its words in the catalogues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to a person. `subject_id` is what it is about, `token` names it to mail servers: in its Message-ID, which
    is the same at each attempt, and in the address that bounces come back to. `claim` is the sender that has it."""

    id: str
    kind: str
    program_id: str
    subject_id: str
    person_id: str
    token: str
    due_at: datetime
    created_at: datetime
    state: MailState = "due"
    attempts: int = 0
    claim: str | None = None
    code: str | None = None
    """The SMTP reply that decided, such as `550 5.1.1`; none where no reply came."""
    reason: SkipReason | None = None
    test: bool = False
    """Sent to those who write it, before its approval."""
    over_at: datetime | None = None
    waits: str | None = None
    """Why it waits for another hour than it was wanted at: `night` or `holiday`."""
    wanted_at: datetime | None = None
    """When it was first due: from then on counts how long it is of use."""

    @property
    def first_due_at(self) -> datetime:
        return self.wanted_at or self.due_at


@dataclass(frozen=True, slots=True)
class Reader:
    """What a person wants of mails. `token` is the capability in their unsubscribe links. `silenced` has
    `kind:programme` of what they want no more; `bounced` is the digest of an address that does not exist."""

    id: str
    token: str
    silenced: tuple[str, ...] = ()
    bounced: str | None = None
    complained_at: datetime | None = None


def mail_id(kind: str, subject_id: str, person_id: str) -> str:
    """One mail for a person and a subject: adding it again changes nothing."""
    return f"{kind}:{subject_id}:{person_id}"


def new_mail(
    kind: str, program_id: str, subject_id: str, person_id: str, *, token: str, due_at: datetime, now: datetime
) -> Mail:
    """Raises KeyError for a kind that is not there."""
    return Mail(
        id=mail_id(KINDS[kind].name, subject_id, person_id),
        kind=kind,
        program_id=program_id,
        subject_id=subject_id,
        person_id=person_id,
        token=token,
        due_at=due_at,
        created_at=now,
        wanted_at=due_at,
    )


def claim(mail: Mail, sender: str, now: datetime, seconds: float) -> Mail:
    """The mail in the hand of a sender, for so many seconds. Raises ValueError unless it is due."""
    if mail.state != "due" or mail.due_at > now:
        raise ValueError(f"{mail.id} is not due")
    return replace(mail, claim=sender, attempts=mail.attempts + 1, due_at=now + timedelta(seconds=seconds))


def sent(mail: Mail, now: datetime, code: str | None = None) -> Mail:
    return _over(mail, "sent", now, code=code)


def refused(mail: Mail, now: datetime, code: str | None) -> Mail:
    """The receiving side will never take it (5xx)."""
    return _over(mail, "refused", now, code=code)


def skipped(mail: Mail, now: datetime, reason: SkipReason) -> Mail:
    return _over(mail, "skipped", now, reason=reason)


def postponed(mail: Mail, now: datetime, code: str | None = None) -> Mail:
    """The mail after an attempt that failed for now: due again later, or given up."""
    _check_due(mail)
    if mail.attempts > len(RETRIES):
        return _over(mail, "given_up", now, code=code)
    return replace(mail, claim=None, due_at=now + RETRIES[max(mail.attempts, 1) - 1], code=code)


def put_back(mail: Mail, due_at: datetime) -> Mail:
    """The mail as if it had not been claimed: the attempt was none of its own, as when no server is there."""
    _check_due(mail)
    return replace(mail, claim=None, attempts=max(mail.attempts - 1, 0), due_at=due_at)


def wait(mail: Mail, until: datetime, reason: str) -> Mail:
    """The mail as if it had not been claimed, due when its reader may be written to: of use as long from then on."""
    return replace(put_back(mail, until), waits=reason, wanted_at=until)


def is_outdated(mail: Mail, now: datetime) -> bool:
    return now > mail.first_due_at + timedelta(hours=KINDS[mail.kind].hours) if mail.kind in KINDS else True


def choice(kind: str, program_id: str) -> str:
    """What a reader silences."""
    return f"{kind}:{program_id}"


def silence(reader: Reader, kind: str, program_id: str) -> Reader:
    """The reader who wants that kind no more; repeating changes nothing."""
    wanted = choice(kind, program_id)
    return reader if wanted in reader.silenced else replace(reader, silenced=(*reader.silenced, wanted))


def unsilence(reader: Reader, kind: str, program_id: str) -> Reader:
    """The reader who wants that kind again. Asking for it also ends what a bounce or a complaint had stopped."""
    left = tuple(one for one in reader.silenced if one != choice(kind, program_id))
    return replace(reader, silenced=left, bounced=None, complained_at=None)


def why_not(mail: Mail, reader: Reader, address_digest: str) -> SkipReason | None:
    """Why a mail must not go to that reader at that address; None where it may."""
    if reader.complained_at is not None:
        return "complained"
    if reader.bounced == address_digest:
        return "bounced"
    if not mail.test and choice(mail.kind, mail.program_id) in reader.silenced:
        return "silenced"
    return None


def _over(
    mail: Mail, state: MailState, now: datetime, *, code: str | None = None, reason: SkipReason | None = None
) -> Mail:
    _check_due(mail)
    return replace(mail, state=state, claim=None, over_at=now, code=code, reason=reason)


def _check_due(mail: Mail) -> None:
    if mail.state != "due":
        raise ValueError(f"{mail.id} is over")
