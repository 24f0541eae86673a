"""Deputies: colleagues who prepare shares for a leader and never share for them.

A leader names an ambassador of the programme, who accepts or declines; both see it, and each of the two ends it at any
moment. What a deputy prepares, an item with a caption, waits for the leader, who shares it or not: there is no way to
post in somebody else's name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from chassis.web.problems import Conflict, Forbidden, Invalid, NotFound, Refused
from services.program.domain.people import Person

DeputyState = Literal["named", "accepted", "declined", "ended"]
PreparedState = Literal["waiting", "shared", "dismissed", "withdrawn"]
MAX_DEPUTIES: Final = 3
"""Of one leader in one programme, those who were asked included."""
MAX_WAITING: Final = 10
"""Prepared shares that wait for one leader in one programme."""


@dataclass(frozen=True, slots=True)
class Deputy:
    """That `person_id` is asked to prepare, or prepares, for `leader_id`."""

    id: str
    program_id: str
    leader_id: str
    person_id: str
    version: int
    named_at: datetime
    updated_at: datetime
    state: DeputyState = "named"

    @property
    def live(self) -> bool:
        """Whether it holds, or waits for an answer."""
        return self.state in ("named", "accepted")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item with a caption that `deputy_id` prepared for `leader_id`."""

    id: str
    program_id: str
    leader_id: str
    deputy_id: str
    content_id: str
    language: str
    caption: str
    version: int
    created_at: datetime
    updated_at: datetime
    state: PreparedState = "waiting"


def name(id: str, program_id: str, leader: Person, person: Person | None, present: int, now: datetime) -> Deputy:
    """A leader asks somebody; `present` are the deputies that they have or asked. Raises Forbidden `not-a-leader`,
    Conflict `not-a-member`, Invalid `person` `unknown` or `own-deputy`, Refused `too-many-deputies`."""
    check_leader(leader, program_id)
    if person is None or not person.active or program_id not in person.joined:
        raise Invalid.one("person", "unknown", "No ambassador of this programme is known by that.")
    if person.id == leader.id:
        raise Invalid.one("person", "own-deputy", "A deputy is somebody else.")
    if present >= MAX_DEPUTIES:
        raise Refused(f"A leader has at most {MAX_DEPUTIES} deputies.", type_="too-many-deputies", max=MAX_DEPUTIES)
    return Deputy(id, program_id, leader.id, person.id, 1, now, now)


def check_leader(person: Person, program_id: str) -> None:
    """Raises Forbidden `not-a-leader`, Conflict `not-a-member`."""
    if not person.leader:
        raise Forbidden("Only leaders have deputies.", type_="not-a-leader")
    if program_id not in person.joined:
        raise Conflict("This is for ambassadors of the programme.", type_="not-a-member")


def accept(before: Deputy, person_id: str, now: datetime) -> Deputy:
    """Whoever was asked agrees; repeating changes nothing. Raises NotFound, Conflict `deputy-over`."""
    _check_party(before, person_id, before.person_id)
    if before.state == "accepted":
        return before
    if before.state != "named":
        raise _over()
    return _next(before, now, state="accepted")


def decline(before: Deputy, person_id: str, now: datetime) -> Deputy:
    """Whoever was asked does not want to; repeating changes nothing. Raises NotFound, Conflict `deputy-over`."""
    _check_party(before, person_id, before.person_id)
    if before.state == "declined":
        return before
    if before.state != "named":
        raise _over()
    return _next(before, now, state="declined")


def end(before: Deputy, person_id: str, now: datetime) -> Deputy:
    """One of the two ends it, for good; what is over stays as it is. Raises NotFound."""
    _check_party(before, person_id, before.person_id, before.leader_id)
    return _next(before, now, state="ended") if before.live else before


def prepare(
    id: str, deputy: Deputy, leader: Person, person_id: str, waiting: int, now: datetime, **values: Any
) -> Prepared:
    """An item with a caption for the leader; `waiting` are those that wait for them. Raises NotFound, Conflict
    `deputy-not-accepted` or `not-a-member`, Forbidden `not-a-leader`, Refused `too-many-prepared`."""
    _check_party(deputy, person_id, deputy.person_id)
    if deputy.state != "accepted":
        raise Conflict("You prepare nothing for them (any more).", type_="deputy-not-accepted")
    check_leader(leader, deputy.program_id)
    if waiting >= MAX_WAITING:
        detail = f"{MAX_WAITING} prepared shares wait for them."
        raise Refused(detail, type_="too-many-prepared", max=MAX_WAITING)
    return Prepared(
        id=id,
        program_id=deputy.program_id,
        leader_id=deputy.leader_id,
        deputy_id=person_id,
        version=1,
        created_at=now,
        updated_at=now,
        **values,
    )


def change(before: Prepared, person_id: str, now: datetime, *, language: str, caption: str) -> Prepared:
    """Its deputy writes it differently; the same object if nothing changes. Raises NotFound, Conflict
    `prepared-over`."""
    _check_author(before, person_id)
    if before.state != "waiting":
        raise _prepared_over()
    wanted = replace(before, language=language, caption=caption)
    return before if wanted == before else replace(wanted, version=before.version + 1, updated_at=now)


def withdraw(before: Prepared, person_id: str, now: datetime) -> Prepared:
    """Its deputy takes it back; repeating changes nothing. Raises NotFound, Conflict `prepared-over`."""
    _check_author(before, person_id)
    return _close(before, "withdrawn", now)


def dismiss(before: Prepared, person_id: str, now: datetime) -> Prepared:
    """The leader does not want it; repeating changes nothing. Raises NotFound, Conflict `prepared-over`."""
    _check_leads(before, person_id)
    return _close(before, "dismissed", now)


def keep(before: Prepared, person_id: str, waiting: int, now: datetime) -> Prepared:
    """The leader takes that back; repeating changes nothing. Raises NotFound, Conflict `prepared-over`, Refused
    `too-many-prepared`."""
    _check_leads(before, person_id)
    if before.state == "waiting":
        return before
    if before.state != "dismissed":
        raise _prepared_over()
    if waiting >= MAX_WAITING:
        raise Refused("Too many wait.", type_="too-many-prepared", max=MAX_WAITING)
    return replace(before, version=before.version + 1, updated_at=now, state="waiting")


def _close(before: Prepared, state: PreparedState, now: datetime) -> Prepared:
    if before.state == state:
        return before
    if before.state != "waiting":
        raise _prepared_over()
    return replace(before, version=before.version + 1, updated_at=now, state=state)


def _check_party(deputy: Deputy, person_id: str, *parties: str) -> None:
    """Whoever has nothing to do with it learns nothing of it."""
    if person_id not in (deputy.leader_id, deputy.person_id):
        raise NotFound("deputy", deputy.id)
    if person_id not in parties:
        raise Forbidden("This is for the other of the two.", type_="not-yours")


def _check_author(prepared: Prepared, person_id: str) -> None:
    if person_id != prepared.deputy_id:
        raise _not_yours(prepared, person_id)


def _check_leads(prepared: Prepared, person_id: str) -> None:
    if person_id != prepared.leader_id:
        raise _not_yours(prepared, person_id)


def _not_yours(prepared: Prepared, person_id: str) -> Exception:
    if person_id in (prepared.leader_id, prepared.deputy_id):
        return Forbidden("This is for the other of the two.", type_="not-yours")
    return NotFound("prepared share", prepared.id)


def _over() -> Conflict:
    return Conflict("This was answered, or has ended.", type_="deputy-over")


def _prepared_over() -> Conflict:
    return Conflict("It was shared, dismissed or withdrawn.", type_="prepared-over")


def _next(before: Deputy, now: datetime, **values: Any) -> Deputy:
    return replace(before, version=before.version + 1, updated_at=now, **values)
