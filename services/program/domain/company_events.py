"""Events to which a programme invites its ambassadors: who comes, who was there, who spoke.

Being there is an act, by a code that is scanned on the spot; speaking is another, noted by a manager. A code is of no
use before the doors open or once the event is over.

An event is for all ambassadors, said in so many words, or for those of a segment. Whoever is not among them neither
sees it nor checks in; what counts is where they are at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from chassis.web.problems import Conflict, Invalid
from services.program.domain.people import Person
from services.program.domain.waves import EVERYWHERE, Criteria

CompanyEventState = Literal["planned", "cancelled"]
DOORS: Final = timedelta(hours=1)
"""Before its beginning, from when on one can check in."""
LONGEST: Final = timedelta(days=14)
MAX_PLANNED: Final = 100
EVERYBODY: Final = Criteria(everybody=True)


@dataclass(frozen=True, slots=True)
class CompanyEvent:
    """An event; `code` is what is scanned there, `audience` whom it is for."""

    id: str
    program_id: str
    version: int
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    code: str
    created_at: datetime
    updated_at: datetime
    state: CompanyEventState = "planned"
    audience: Criteria = EVERYBODY


@dataclass(frozen=True, slots=True)
class Attendance:
    """What somebody has to do with an event: `coming` is what they answered, None for nothing; `event_act` and
    `speaker_act` name in events that they were there, and spoke."""

    id: str
    program_id: str
    event_id: str
    person_id: str
    version: int
    coming: bool | None = None
    checked_in_at: datetime | None = None
    event_act: str | None = None
    speaker_act: str | None = None


def plan(id: str, program_id: str, code: str, now: datetime, **values: Any) -> CompanyEvent:
    """An event that is to come. Raises Invalid: `ends_at` `before-start`, `past` or `too-long-event`; `audience`
    `empty-segment`."""
    event = CompanyEvent(id=id, program_id=program_id, version=1, code=code, created_at=now, updated_at=now, **values)
    _check(event, now)
    return event


def change(before: CompanyEvent, now: datetime, **values: Any) -> CompanyEvent:
    """The event with these values; the same object if nothing changes. Raises Conflict `event-cancelled` or
    `event-over`, Invalid as `plan`."""
    _check_planned(before)
    _check_not_over(before, now)
    wanted = replace(before, **values)
    if wanted == before:
        return before
    _check(wanted, now)
    return _next(wanted, now)


def cancel(before: CompanyEvent, guests: int, now: datetime) -> CompanyEvent:
    """It does not take place; repeating changes nothing. Raises Conflict: `event-over`, `event-has-guests`."""
    if before.state == "cancelled":
        return before
    _check_not_over(before, now)
    if guests:
        raise Conflict("Some people are there already.", type_="event-has-guests")
    return _next(replace(before, state="cancelled"), now)


def restore(before: CompanyEvent, now: datetime) -> CompanyEvent:
    """It takes place after all; repeating changes nothing. Raises Conflict `event-over`."""
    if before.state == "planned":
        return before
    _check_not_over(before, now)
    return _next(replace(before, state="planned"), now)


def check_guest(event: CompanyEvent, person: Person) -> None:
    """Raises Conflict `not-a-guest` for an ambassador whom the event is not for."""
    if not event.audience.take(person):
        raise Conflict("This event is for other ambassadors.", type_="not-a-guest")


def reply(event: CompanyEvent, before: Attendance, person: Person, *, coming: bool, now: datetime) -> Attendance:
    """What an ambassador answers. Raises Conflict: `not-a-guest`, `event-cancelled`, `event-over`."""
    check_guest(event, person)
    _check_planned(event)
    _check_not_over(event, now)
    return _changed(before, coming=coming)


def check_in(event: CompanyEvent, before: Attendance, person: Person, *, act_id: str, now: datetime) -> Attendance:
    """An ambassador is there; repeating changes nothing. Raises Conflict: `not-a-guest`, `event-cancelled`,
    `event-not-open`, `event-over`."""
    if before.checked_in_at is not None:
        return before
    check_guest(event, person)
    _check_planned(event)
    _check_not_over(event, now)
    if now < event.starts_at - DOORS:
        opens = event.starts_at - DOORS
        raise Conflict("The doors are not open yet.", type_="event-not-open", opens_at=opens.isoformat())
    return _changed(before, checked_in_at=now, event_act=act_id)


def note_speaker(before: Attendance, *, act_id: str) -> Attendance:
    """They spoke; repeating changes nothing. Raises Conflict `not-checked-in`."""
    if before.checked_in_at is None:
        raise Conflict("They have not checked in.", type_="not-checked-in")
    return before if before.speaker_act else _changed(before, speaker_act=act_id)


def unnote_speaker(before: Attendance) -> Attendance:
    """They did not speak after all; repeating changes nothing."""
    return _changed(before, speaker_act=None)


def _check(event: CompanyEvent, now: datetime) -> None:
    if event.audience.everybody == (event.audience.segment != EVERYWHERE):
        raise Invalid.one("audience", "empty-segment", "Name countries, teams or sites, or say `everybody`.")
    if event.ends_at <= event.starts_at:
        raise Invalid.one("ends_at", "before-start", "It ends before it begins.")
    if event.ends_at <= now:
        raise Invalid.one("ends_at", "past", "It would be over.")
    if event.ends_at - event.starts_at > LONGEST:
        raise Invalid.one("ends_at", "too-long-event", "An event takes two weeks at most.", days=LONGEST.days)


def _check_planned(event: CompanyEvent) -> None:
    if event.state == "cancelled":
        raise Conflict("This event was cancelled.", type_="event-cancelled")


def _check_not_over(event: CompanyEvent, now: datetime) -> None:
    if event.ends_at <= now:
        raise Conflict("This event is over.", type_="event-over")


def _changed(before: Attendance, **values: Any) -> Attendance:
    wanted = replace(before, **values)
    return before if wanted == before else replace(wanted, version=before.version + 1)


def _next(event: CompanyEvent, now: datetime) -> CompanyEvent:
    return replace(event, version=event.version + 1, updated_at=now)
