"""Other acts than sharing: talks and articles, events, referrals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.ids import derived_id
from chassis.mongo import Document
from chassis.mongo.rows import document, read
from chassis.recovery import Incomplete, Kept, only_told
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
)
from services.program.domain.company_events import Attendance
from services.program.domain.expert_acts import KINDS, ExpertAct
from services.program.recovery.shared import Database, is_before, is_merged

OF_REFERRALS = ("referral", "hire")
OF_EVENTS = ("event", "event_speaker")


async def _expert_act(_: Database, row: Document | None, events: Sequence[ActRecorded | ActWithdrawn]) -> Document:
    if row is None:
        raise Incomplete("it counts; events carry neither its title nor its link")
    act = read(ExpertAct, row)
    for event in events:
        act = replace(act, version=act.version + 1, updated_at=event.occurred_at)
        if isinstance(event, ActRecorded):
            act = replace(act, state="confirmed", act_id=event.act_id)
        else:
            withdrawn = event.reason == "ambassador"
            act = replace(act, state="withdrawn" if withdrawn else "declared", act_id=act.act_id if withdrawn else None)
    return {**row, **document(act), "live": act.live}


def _lacks_expert_act(row: Document | None, event: ActRecorded | ActWithdrawn) -> bool:
    return event.act in KINDS and (row is None or is_before(row["updated_at"], event.occurred_at))


async def _attendance(
    db: Database, row: Document | None, events: Sequence[ActRecorded | ActWithdrawn]
) -> Document | None:
    first = events[0]
    if row is None and await is_merged(db, first.ambassador_id):
        return None
    found = (
        read(Attendance, row)
        if row
        else Attendance(_attendance_id(first), first.program_id, first.object_id, first.ambassador_id, 1)
    )
    for event in events:
        id = event.act_id if isinstance(event, ActRecorded) else None
        if event.act == "event":
            found = replace(found, event_act=id, checked_in_at=found.checked_in_at or event.occurred_at)
        else:
            found = replace(found, speaker_act=id)
    if row and found != read(Attendance, row):
        found = replace(found, version=found.version + 1)
    return {**(row or {}), **document(found)}


def _attendance_id(event: ActRecorded | ActWithdrawn) -> str:
    return derived_id(event.object_id, event.ambassador_id)


def _lacks_attendance(row: Document | None, event: ActRecorded | ActWithdrawn) -> bool:
    """Whether somebody spoke may be told and taken back again and again: all of it is looked at."""
    return event.act == "event_speaker" or (event.act == "event" and (row is None or not row.get("event_act")))


def _lacks_act_of(*acts: str) -> Any:
    return lambda row, event: event.act in acts and row is None


KEPT = (
    Kept(
        "expert act",
        "expert_acts",
        (ActRecorded, ActWithdrawn),
        lambda event: str(event.object_id),
        _expert_act,
        _lacks_expert_act,
        ("updated_at",),
    ),
    Kept(
        "attendance",
        "attendances",
        (ActRecorded, ActWithdrawn),
        _attendance_id,
        _attendance,
        _lacks_attendance,
        ("event_act",),
    ),
    Kept(
        "event",
        "company_events",
        (ActRecorded,),
        lambda event: str(event.object_id),
        only_told,
        _lacks_act_of(*OF_EVENTS),
    ),
    Kept(
        "referral",
        "referrals",
        (ActRecorded,),
        lambda event: str(event.object_id),
        only_told,
        _lacks_act_of(*OF_REFERRALS),
    ),
)
