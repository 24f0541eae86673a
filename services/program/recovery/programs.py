"""Programmes, guidelines and who acknowledged them, objectives, and newsletters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.mongo import Document
from chassis.mongo.rows import document, read
from chassis.recovery import Incomplete, Kept, is_missing, lacks_revision
from herald_contracts import (
    GuidelineAcknowledged,
    GuidelinePublished,
    NewsletterSent,
    ObjectiveReviewed,
    ObjectiveSet,
    ProgramArchived,
    ProgramChanged,
    ProgramCreated,
    ProgramRestored,
)
from services.program.domain.objectives import Objective
from services.program.domain.programs import Program
from services.program.recovery.shared import Database, membership_in
from services.program.store.objectives import objective_row


async def _program(_: Database, row: Document | None, events: Sequence[Any]) -> Document:
    program = read(Program, row) if row else None
    for event in events:
        at = event.occurred_at
        if isinstance(event, ProgramCreated):
            program = program or _created(event)
        elif program is not None and isinstance(event, ProgramChanged):
            program = replace(program, name=event.name, open=event.open, colour=event.colour, updated_at=at)
        elif program is not None:
            archived = at if isinstance(event, ProgramArchived) else None
            program = replace(program, archived_at=archived, updated_at=at)
    if program is None:
        raise Incomplete("nothing tells how it was created")
    return {**(row or {}), **document(program)}


def _created(event: ProgramCreated) -> Program:
    """Without a consent and guidelines, until somebody publishes them again: nobody can join before."""
    at = event.occurred_at
    return Program(
        event.program_id, 1, event.name, event.time_zone, tuple(event.languages), False, 0, 0, 0, at, at
    )  # fmt: skip


def _lacks_program(row: Document | None, event: Any) -> bool:
    return row is None if isinstance(event, ProgramCreated) else lacks_revision(row, event)


async def _guidelines(_: Database, row: Document | None, __: Sequence[GuidelinePublished]) -> Document | None:
    if row is None:
        raise Incomplete("publish the same text again: it gets the same number, and whoever acknowledged it has")
    return row


async def _objective(db: Database, row: Document | None, events: Sequence[Any]) -> Document:
    if row is None and await db["objectives"].find_one({"id": events[0].objective_id}):
        raise Incomplete("it is kept under its programme's id: change it twice")
    objective = read(Objective, row) if row else None
    for event in events:
        at = event.occurred_at
        if isinstance(event, ObjectiveSet):
            names = (
                "program_id", "use_case", "kpi", "baseline", "target", "starts_on", "ends_on", "owner_id",
                "baseline_source", "state",
            )  # fmt: skip
            told: dict[str, Any] = {name: getattr(event, name) for name in names}
            told |= {
                "title": event.title or "",
                "items": tuple(event.items),
                "challenges": tuple(event.challenges),
                "updated_at": at,
            }
            objective = (
                replace(objective, **told)
                if objective
                else Objective(id=event.objective_id, version=event.revision, **told)
            )
        elif objective is not None:
            objective = replace(objective, state="reviewed", reviewed_by=event.person_id, reviewed_at=at, updated_at=at)
    if objective is None:
        raise Incomplete("nothing tells how it was set")
    return {**(row or {}), **objective_row(objective)}


async def _newsletter(_: Database, row: Document | None, events: Sequence[NewsletterSent]) -> Document:
    if row is None:
        raise Incomplete("it went out, and is not in the archive")
    event = events[-1]
    return {
        **row,
        "state": "stopped" if event.stopped else "sent",
        "version": row["version"] + 1,
        "counts": {"sent": event.sent, "refused": event.not_sent},
        "begun_at": row.get("begun_at") or event.occurred_at,
        "over_at": event.occurred_at,
        "expanded": True,
        "updated_at": event.occurred_at,
    }


def _lacks_newsletter(row: Document | None, _: NewsletterSent) -> bool:
    return row is None or row["state"] not in ("sent", "stopped")


async def _acknowledged(_: Database, row: Document | None, events: Sequence[GuidelineAcknowledged]) -> Document | None:
    for event in events:
        if row is not None and _lacks_acknowledgement(row, event):
            memberships = [
                {**one, "acknowledged": event.version} if one["program_id"] == event.program_id else one
                for one in row["memberships"]
            ]
            row = {**row, "memberships": memberships}
    return row


def _lacks_acknowledgement(row: Document | None, event: GuidelineAcknowledged) -> bool:
    membership = membership_in(row or {}, event.program_id)
    return bool(membership) and membership.get("acknowledged", 0) < event.version


KEPT = (
    Kept(
        "programme",
        "programs",
        (ProgramCreated, ProgramChanged, ProgramArchived, ProgramRestored),
        lambda event: str(event.program_id),
        _program,
        _lacks_program,
    ),
    Kept(
        "guidelines",
        "texts",
        (GuidelinePublished,),
        lambda event: f"{event.program_id}:guidelines:{event.version}",
        _guidelines,
        is_missing,
    ),
    Kept(
        "acknowledgement",
        "people",
        (GuidelineAcknowledged,),
        lambda event: str(event.person_id),
        _acknowledged,
        _lacks_acknowledgement,
        ("memberships",),
    ),
    Kept(
        "objective", "objectives", (ObjectiveSet, ObjectiveReviewed), lambda event: str(event.objective_id), _objective
    ),
    Kept(
        "newsletter",
        "newsletters",
        (NewsletterSent,),
        lambda event: str(event.newsletter_id),
        _newsletter,
        _lacks_newsletter,
        ("state",),
    ),
)
