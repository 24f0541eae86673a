"""Planning events, answering, checking in, and noting who spoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import audit
from chassis.ids import new_id, short_code
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Refused
from services.program import event_mapping
from services.program.audit import COMPANY_EVENT
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import company_events, memberships, programs
from services.program.domain.company_events import MAX_PLANNED, Attendance, CompanyEvent
from services.program.domain.waves import Criteria

CODE_LENGTH = 16


async def plan(context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]) -> CompanyEvent:
    """Raises NotFound, Invalid, Conflict: `program-archived`, `no-guests` for a group of nobody; Refused
    `too-many-events`."""
    programs.check_active(await context.programs.get(program_id, tx))
    if await context.company_events.count_upcoming(program_id, tx.now, tx) >= MAX_PLANNED:
        raise Refused(f"At most {MAX_PLANNED} events are to come.", type_="too-many-events", max=MAX_PLANNED)
    event = company_events.plan(
        new_id(), program_id, short_code(CODE_LENGTH), tx.now, **await _meant(context, program_id, values)
    )
    await context.company_events.insert(event, tx)
    audit.record(tx, "plan_event", COMPANY_EVENT, event.id, after=event, program_id=program_id)
    return event


async def change(
    context: Context, tx: Transaction, program_id: str, id: str, version: Expected | None, values: Mapping[str, Any]
) -> CompanyEvent:
    """Raises NotFound, Invalid, PreconditionRequired, StaleVersion, Conflict: `event-cancelled`, `event-over`,
    `no-guests`."""
    before = await context.company_events.get(program_id, id, tx)
    check_version(version, before.version)
    return await save(
        context.company_events,
        COMPANY_EVENT,
        tx,
        "change_event",
        before,
        company_events.change(before, tx.now, **await _meant(context, program_id, values)),
    )


async def cancel(context: Context, tx: Transaction, program_id: str, id: str) -> CompanyEvent:
    """Repeating changes nothing. Raises NotFound, Conflict: `event-over`, `event-has-guests`."""
    before = await context.company_events.get(program_id, id, tx)
    _, there = (await context.company_events.counts([id], tx)).get(id, (0, 0))
    return await save(
        context.company_events, COMPANY_EVENT, tx, "cancel_event", before, company_events.cancel(before, there, tx.now)
    )


async def restore(context: Context, tx: Transaction, program_id: str, id: str) -> CompanyEvent:
    """Repeating changes nothing. Raises NotFound, Conflict `event-over`."""
    before = await context.company_events.get(program_id, id, tx)
    return await save(
        context.company_events, COMPANY_EVENT, tx, "restore_event", before, company_events.restore(before, tx.now)
    )


async def reply(
    context: Context, tx: Transaction, program_id: str, id: str, person_id: str, *, coming: bool
) -> Attendance:
    """Raises NotFound, Conflict: `not-a-member`, `not-a-guest`, `event-cancelled`, `event-over`."""
    event = await context.company_events.get(program_id, id, tx)
    person = await context.people.get(person_id, tx)
    memberships.joined(person, program_id)
    before = await context.company_events.attendance(event, person_id, tx)
    after = company_events.reply(event, before, person, coming=coming, now=tx.now)
    if after is not before:
        await context.company_events.save_attendance(before, after, tx)
    return after


async def check_in(context: Context, tx: Transaction, code: str, person_id: str) -> CompanyEvent:
    """Be there; repeating changes nothing. Raises NotFound, Conflict: `not-a-member`, `not-a-guest`,
    `event-cancelled`, `event-not-open`, `event-over`."""
    event = await context.company_events.by_code(code, tx)
    person = await context.people.get(person_id, tx)
    memberships.joined(person, event.program_id)
    before = await context.company_events.attendance(event, person_id, tx)
    after = company_events.check_in(event, before, person, act_id=new_id(), now=tx.now)
    if after is not before:
        await context.company_events.save_attendance(before, after, tx)
        tx.emit(event_mapping.attendance_recorded(after, "event", str(after.event_act), tx.now))
    return event


async def note_speaker(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Attendance:
    """They spoke; repeating changes nothing. Raises NotFound, Conflict `not-checked-in`."""
    event = await context.company_events.get(program_id, id, tx)
    before = await context.company_events.attendance(event, person_id, tx)
    after = company_events.note_speaker(before, act_id=new_id())
    if after is not before:
        await context.company_events.save_attendance(before, after, tx)
        tx.emit(event_mapping.attendance_recorded(after, "event_speaker", str(after.speaker_act), tx.now))
    audit.record(tx, "note_speaker", COMPANY_EVENT, id, program_id=program_id, facts={"person_id": person_id})
    return after


async def unnote_speaker(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Attendance:
    """They did not speak after all; repeating changes nothing. Raises NotFound."""
    event = await context.company_events.get(program_id, id, tx)
    before = await context.company_events.attendance(event, person_id, tx)
    after = company_events.unnote_speaker(before)
    if after is not before:
        await context.company_events.save_attendance(before, after, tx)
        tx.emit(event_mapping.speaker_withdrawn(before, tx.now))
    audit.record(tx, "unnote_speaker", COMPANY_EVENT, id, program_id=program_id, facts={"person_id": person_id})
    return after


async def _meant(context: Context, program_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with teams as they are spelled here. Raises Conflict `no-guests`."""
    audience: Criteria = values["audience"]
    spellings = await context.teams.spellings(audience.segment.teams)
    teams = tuple(spellings.get(one, one) for one in audience.segment.teams)
    segment = replace(audience.segment, teams=teams)
    if not audience.everybody and not await context.segments.count_ambassadors(program_id, segment):
        raise Conflict("No ambassador of the programme is among those.", type_="no-guests")
    return {**values, "audience": replace(audience, segment=segment)}
