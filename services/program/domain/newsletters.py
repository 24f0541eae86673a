"""Newsletters: written in blocks, approved, scheduled, sent, kept in the archive.

    draft ── approve ──▶ approved ── schedule ──▶ scheduled ── begin ──▶ sending ── finish ──▶ sent
      ◀──────── change ────┘  ◀────── unschedule ────┘                      └── stop ──▶ stopped

What was approved is what is sent: changing it makes it a draft again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.people import Person, Segment
from services.program.domain.programs import Program, check_languages
from services.program.domain.quiet_times import clock_of

NewsletterState = Literal["draft", "approved", "scheduled", "sending", "sent", "stopped"]
BlockKind = Literal["text", "results", "posts", "content", "tip", "thanks", "answers", "done"]
BLOCK_KINDS: Final[tuple[str, ...]] = get_args(BlockKind)
MAX_BLOCKS: Final = 20
MAX_OPEN: Final = 20
FIRST_ZONE: Final = timedelta(hours=14)
"""How much earlier than in UTC a day begins where it begins first."""


@dataclass(frozen=True, slots=True)
class BlockText:
    """A block in one language: `text` is Markdown, `link` and `picture` are web addresses."""

    title: str = ""
    text: str = ""
    link: str | None = None
    link_text: str = ""
    picture: str | None = None
    picture_alt: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a newsletter; `kind` says what it was drafted from."""

    kind: str
    texts: Mapping[str, BlockText]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """A newsletter of a programme. `period_first` and `period_last` are the days that it was drafted from, None where
    somebody wrote it. `send_on` and `send_at` (`HH:MM`) are a day and an hour on each reader's own clock.
    `counts` has how many mails ended how, once all did; `reached` is the person up to whom mails were made."""

    id: str
    program_id: str
    version: int = 1
    state: NewsletterState = "draft"
    subjects: Mapping[str, str]
    blocks: tuple[Block, ...]
    segment: Segment = field(default_factory=Segment)
    period_first: date | None = None
    period_last: date | None = None
    send_on: date | None = None
    send_at: str | None = None
    approved_by: str | None = None
    begun_at: datetime | None = None
    over_at: datetime | None = None
    reached: str | None = None
    expanded: bool = False
    """Whether each recipient has a mail."""
    counts: Mapping[str, int] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime

    @property
    def archived(self) -> bool:
        """Whether ambassadors may read it."""
        return self.state in ("sending", "sent", "stopped") and self.begun_at is not None


def new_newsletter(id: str, program: Program, now: datetime, **values: Any) -> Newsletter:
    """A draft. Raises Invalid `language-missing`, `language-unknown`, `required`, `too-many`, and `prepared.last`
    `before-start`."""
    found = Newsletter(id=id, program_id=program.id, created_at=now, updated_at=now, **values)
    if found.period_first and found.period_last and found.period_last < found.period_first:
        raise Invalid.one("prepared.last", "before-start", "The days end before they begin.")
    check_texts(found, program)
    return found


def change(before: Newsletter, program: Program, now: datetime, **values: Any) -> Newsletter:
    """The draft with other subjects, blocks or readers; the same object if nothing changes. What was approved has to be
    approved again. Raises Conflict `newsletter-scheduled` and `newsletter-sent`, and what `new_newsletter` does."""
    if before.state == "scheduled":
        raise Conflict("Take it off the schedule first.", type_="newsletter-scheduled")
    _check_not_begun(before)
    wanted = replace(before, **values)
    check_texts(wanted, program)
    if wanted == before:
        return before
    return _next(replace(wanted, state="draft", approved_by=None), now)


def approve(before: Newsletter, by: str, now: datetime) -> Newsletter:
    """Say that it may go as it is; repeating changes nothing. Raises Conflict `newsletter-sent`."""
    _check_not_begun(before)
    return before if before.state != "draft" else _next(replace(before, state="approved", approved_by=by), now)


def schedule(
    before: Newsletter, program: Program, recipients: int, send_on: date, send_at: str, now: datetime
) -> Newsletter:
    """Have it sent on that day at that hour of each reader's clock; repeating changes nothing.

    Raises Conflict: `newsletter-not-approved`, `newsletter-sent`, `no-recipients`. Raises Invalid `send_on` `past`
    where the hour is over in the programme's time zone.
    """
    _check_not_begun(before)
    if before.state == "draft":
        raise Conflict("A newsletter is approved before it is scheduled.", type_="newsletter-not-approved")
    if before.state == "scheduled" and (before.send_on, before.send_at) == (send_on, send_at):
        return before
    if not recipients:
        raise Conflict("Nobody would get it: nobody of these has an address.", type_="no-recipients")
    if local_time(send_on, send_at, program.time_zone) < now - timedelta(minutes=5):
        raise Invalid.one("send_on", "past", "This hour is over.")
    return _next(replace(before, state="scheduled", send_on=send_on, send_at=send_at), now)


def unschedule(before: Newsletter, now: datetime) -> Newsletter:
    """Take it off the schedule; it stays approved. Repeating changes nothing. Raises Conflict `newsletter-sent`."""
    _check_not_begun(before)
    if before.state != "scheduled":
        return before
    return _next(replace(before, state="approved", send_on=None, send_at=None), now)


def may_begin(newsletter: Newsletter, now: datetime) -> bool:
    """Whether it is time for the readers whose day begins first."""
    if newsletter.state != "scheduled" or newsletter.send_on is None or newsletter.send_at is None:
        return False
    return now >= local_time(newsletter.send_on, newsletter.send_at, "UTC") - FIRST_ZONE


def begin(before: Newsletter, now: datetime) -> Newsletter:
    """Make mails of it from now on. Raises Conflict `newsletter-not-scheduled`."""
    if before.state != "scheduled":
        raise Conflict("It is not scheduled.", type_="newsletter-not-scheduled")
    return _next(replace(before, state="sending", begun_at=now), now)


def expand(before: Newsletter, reached: str | None, now: datetime) -> Newsletter:
    """Mails were made up to that person; None says that everybody has theirs."""
    if before.state != "sending":
        raise Conflict("It is not being sent.", type_="newsletter-not-sending")
    if reached is None:
        return _next(replace(before, expanded=True), now)
    return _next(replace(before, reached=reached), now)


def stop(before: Newsletter, now: datetime) -> Newsletter:
    """Send no more of it, for good; repeating changes nothing. Raises Conflict `newsletter-not-sending`."""
    if before.state == "stopped":
        return before
    if before.state != "sending":
        raise Conflict("It is not being sent.", type_="newsletter-not-sending")
    return _next(replace(before, state="stopped", over_at=now), now)


def finish(before: Newsletter, counts: Mapping[str, int], now: datetime) -> Newsletter:
    """Every mail is over. Raises Conflict `newsletter-not-sending` before all have one."""
    if before.state != "sending" or not before.expanded:
        raise Conflict("It is not being sent.", type_="newsletter-not-sending")
    return _next(replace(before, state="sent", counts=dict(counts), over_at=now), now)


def check_deletable(newsletter: Newsletter) -> None:
    """Raises Conflict `newsletter-scheduled`, `newsletter-sent`."""
    if newsletter.state == "scheduled":
        raise Conflict("Take it off the schedule first.", type_="newsletter-scheduled")
    _check_not_begun(newsletter)


def local_time(day: date, hour: str, zone: str) -> datetime:
    """The moment, in UTC, at which clocks in a zone show that hour; the first of two, and where it is left out, an hour
    later."""
    return datetime.combine(day, time.fromisoformat(hour), ZoneInfo(zone)).astimezone(UTC)


def due_at(newsletter: Newsletter, person: Person, program: Program, zones: Mapping[str, Sequence[str]]) -> datetime:
    """When a person's mail is due: by their own clock."""
    assert newsletter.send_on is not None
    assert newsletter.send_at is not None
    clock = clock_of(person, program.time_zone, zones)
    return local_time(newsletter.send_on, newsletter.send_at, clock.zone)


def check_texts(newsletter: Newsletter, program: Program) -> None:
    """Raises Invalid unless each text is there in each language of the programme."""
    check_languages(newsletter.subjects, program.languages, "subjects")
    if not newsletter.blocks:
        raise Invalid.one("blocks", "required", "A newsletter has at least one block.")
    errors: list[Violation] = []
    for index, block in enumerate(newsletter.blocks):
        check_languages(block.texts, program.languages, f"blocks.{index}.texts")
        for language, text in block.texts.items():
            at = f"blocks.{index}.texts.{language}"
            if text.picture and not text.picture_alt:
                errors.append(Violation(f"{at}.picture_alt", "required", "Say what the picture shows."))
            if not (text.title or text.text):
                errors.append(Violation(f"{at}.text", "required", "A block says something."))
    if errors:
        raise Invalid("See `errors` for each block.", errors=errors)


def _check_not_begun(newsletter: Newsletter) -> None:
    if newsletter.state in ("sending", "sent", "stopped"):
        raise Conflict("It has been sent.", type_="newsletter-sent")


def _next(newsletter: Newsletter, now: datetime) -> Newsletter:
    return replace(newsletter, version=newsletter.version + 1, updated_at=now)
