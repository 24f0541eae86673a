"""Waves with the places of their cohorts, and surveys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.mongo import Document
from chassis.mongo.rows import document, read
from chassis.recovery import Incomplete, Kept
from herald_contracts import (
    CohortJoined,
    CohortLeft,
    CohortStarted,
    SurveyClosed,
    WaveDecided,
    WaveReopened,
)
from services.program.domain.waves import Member, Wave
from services.program.recovery.shared import Database, is_before, is_merged
from services.program.store.waves import MEMBERS


async def _wave(
    _: Database, row: Document | None, events: Sequence[CohortStarted | WaveDecided | WaveReopened]
) -> Document:
    if row is None:
        raise Incomplete("plan it again: events carry neither its name nor whom it is for")
    wave = read(Wave, row)
    for event in events:
        wave = replace(wave, updated_at=event.occurred_at)
        match event:
            case CohortStarted():
                dates: dict[str, Any] = {"starts_on": event.starts_on, "ends_on": event.ends_on}
                wave = replace(wave, state="running", started_at=wave.started_at or event.occurred_at, **dates)
            case WaveDecided():
                last = max(wave.starts_on, min(wave.ends_on, event.occurred_at.date()))
                wave = replace(
                    wave,
                    state="decided",
                    decision=event.decision,  # type: ignore[arg-type]
                    decided_by=tuple(event.decided_by),
                    decided_at=event.occurred_at,
                    closed_on=last,
                )
            case _:
                nothing: dict[str, Any] = dict.fromkeys(("decision", "decided_at", "closed_on", "recorded_by"))
                wave = replace(wave, state="running", reasons="", decided_by=(), **nothing)
    return {**row, **document(wave)}


async def _place(db: Database, row: Document | None, events: Sequence[CohortJoined | CohortLeft]) -> Document | None:
    if row is None and await is_merged(db, events[0].person_id):
        return None
    for event in events:
        if isinstance(event, CohortJoined) and row is not None and row["wave_id"] == event.wave_id:
            row = {**row, "left_at": None}
        elif isinstance(event, CohortJoined):
            member = Member(_place_id(event), event.program_id, event.person_id, event.wave_id, event.occurred_at)
            row = document(member)
        elif event.reason == "withdrawn":
            row = None
        elif row is not None:
            row = {**row, "left_at": event.occurred_at}
    return row


def _place_id(event: CohortJoined | CohortLeft) -> str:
    return f"{event.program_id}|{event.person_id}"


def _lacks_place(row: Document | None, event: CohortJoined | CohortLeft) -> bool:
    """All since they entered: whoever leaves and is back keeps the day of their entry."""
    return row is None or is_before(row["entered_at"], event.occurred_at)


async def _survey(_: Database, row: Document | None, events: Sequence[SurveyClosed]) -> Document:
    if row is None:
        raise Incomplete("its results are with metrics; events carry no questions")
    return {**row, "state": "closed", "version": row["version"] + 1, "updated_at": events[-1].occurred_at}


def _lacks_survey(row: Document | None, _: SurveyClosed) -> bool:
    return row is None or row["state"] != "closed"


KEPT = (
    Kept("wave", "waves", (CohortStarted, WaveDecided, WaveReopened), lambda event: str(event.wave_id), _wave),
    Kept(
        "place in a cohort",
        MEMBERS,
        (CohortJoined, CohortLeft),
        _place_id,
        _place,
        _lacks_place,
        ("entered_at",),
    ),
    Kept("survey", "surveys", (SurveyClosed,), lambda event: str(event.survey_id), _survey, _lacks_survey, ("state",)),
)
