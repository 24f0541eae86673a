"""What is taken back after a restore from `herald.people`, `herald.program` and `herald.acts`.

Events name nobody and carry no text: a person who was new comes back without a name, a lesson or a survey not at all.
What gives a right, or would happen twice, comes back: who is still with the company and may do what, who is an
ambassador, which newsletters went out, which acts count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from chassis.ids import derived_id
from chassis.mongo import Document
from chassis.mongo.rows import document, read
from chassis.recovery import Incomplete, Kept, is_missing, lacks_revision, only_told
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AmbassadorInvitationWithdrawn,
    AmbassadorInvited,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    CohortJoined,
    CohortLeft,
    CohortStarted,
    GuidelineAcknowledged,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    NewsletterSent,
    ObjectiveReviewed,
    ObjectiveSet,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
    ProgramArchived,
    ProgramChanged,
    ProgramCreated,
    ProgramRestored,
    SurveyClosed,
    WaveDecided,
    WaveReopened,
)
from services.program.domain.company_events import Attendance
from services.program.domain.expert_acts import KINDS, ExpertAct
from services.program.domain.lessons import Completion
from services.program.domain.objectives import Objective
from services.program.domain.people import UNKNOWN_NAME, Membership, Person, ProgramGrant
from services.program.domain.programs import Program
from services.program.domain.waves import Member, Wave
from services.program.store.objectives import objective_row
from services.program.store.people import person_row
from services.program.store.waves import MEMBERS

Database = AsyncDatabase[Document]
State = PersonProvisioned | PersonUpdated
OF_REFERRALS = ("referral", "hire")
OF_EVENTS = ("event", "event_speaker")


# --- people ------------------------------------------------------------------------------------------------------


async def _person(_: Database, row: Document | None, events: Sequence[Any]) -> Document:
    person = read(Person, row) if row else None
    for event in events:
        match event:
            case PersonProvisioned() | PersonUpdated():
                person = _stated(person, event)
            case _ if person is None:
                continue
            case PersonDeactivated():
                person = replace(person, active=False, devices=(), code=None, updated_at=event.occurred_at)
            case _:
                person = _enrolled(person, event)
    if person is None:
        raise Incomplete("nothing tells who this is")
    return {**_without_absent(row or {}, person), **person_row(person)}


def _without_absent(row: Document, person: Person) -> Document:
    """What the row has beside: fields of newer versions, not those that a person without a value is stored without."""
    return {name: value for name, value in row.items() if not hasattr(person, name)}


def _stated(person: Person | None, event: State) -> Person:
    known = person or Person(
        id=event.person_id,
        name=UNKNOWN_NAME,
        country=event.country,
        team=event.team,
        locale=event.locale,
        created_at=event.occurred_at,
        updated_at=event.occurred_at,
    )
    devices = {one.account for one in known.devices}
    rights: dict[str, Any] = {
        "grants": tuple(role for role in event.roles if role != "ambassador"),
        "program_grants": tuple(read(ProgramGrant, one.model_dump()) for one in event.program_roles),
    }
    return replace(
        known,
        accounts=tuple(one for one in event.accounts if one not in devices),
        **rights,
        active=event.active,
        country=event.country,
        team=event.team,
        locale=event.locale,
        level=event.level,
        site=event.site,
        leader=event.leader,
        hidden_from_rankings=event.hidden_from_rankings,
        hidden_from_statistics=event.hidden_from_statistics,
        updated_at=event.occurred_at,
    )


def _enrolled(person: Person, event: Any) -> Person:
    before = person.membership(event.program_id)
    at = event.occurred_at
    match event:
        case AmbassadorInvited():
            if before is not None:
                return person
            after = Membership(event.program_id, "invited", at, event.invitation_id)
        case AmbassadorInvitationWithdrawn():
            if before is None or before.status != "invited" or before.invitation_id != event.invitation_id:
                return person
            return replace(person, memberships=tuple(one for one in person.memberships if one is not before))
        case AmbassadorJoined():
            known = before or Membership(event.program_id, "joined", at)
            after = replace(known, status="joined", since=at, consent_version=event.consent_version, paused_since=None)
        case _ if before is None:
            return person
        case AmbassadorPaused():
            after = replace(before, paused_since=at)
        case AmbassadorResumed():
            after = replace(before, paused_since=None)
        case _:
            after = replace(before, status="left", since=at, paused_since=None)
    others = tuple(one for one in person.memberships if one is not before)
    return replace(person, memberships=(*others, after))


async def _is_merged(db: Database, person_id: str) -> bool:
    """Whether somebody became another one, who has what was theirs."""
    return await db["people"].find_one({"_id": person_id, "merged_into": {"$type": "string"}}, {"_id": 1}) is not None


def _lacks_person(row: Document | None, event: Any) -> bool:
    if isinstance(event, AmbassadorInvited):
        return row is None or not _in(row, event.program_id)
    return isinstance(event, AmbassadorInvitationWithdrawn) or lacks_revision(row, event)


def _in(row: Document, program_id: str) -> Document:
    memberships: Sequence[Document] = row.get("memberships", ())
    return next((one for one in memberships if one["program_id"] == program_id), {})


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
    membership = _in(row or {}, event.program_id)
    return bool(membership) and membership.get("acknowledged", 0) < event.version


# --- programmes --------------------------------------------------------------------------------------------------


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


async def _lesson(_: Database, row: Document | None, events: Sequence[LessonPublished | LessonRetired]) -> Document:
    if row is None:
        raise Incomplete("write it again: events carry no text")
    for event in events:
        row = {**row, "updated_at": event.occurred_at}
        if isinstance(event, LessonRetired):
            row["state"] = "retired"
        else:
            # The number of an edition stands for its text: that of one whose text is lost is not given again.
            row["edition"] = max(row["edition"], event.edition)
            row["state"] = "published" if row.get("published") else row["state"]
    return row


async def _completion(db: Database, row: Document | None, events: Sequence[LessonCompleted]) -> Document | None:
    event = events[0]
    if row is None and await _is_merged(db, event.person_id):
        return None
    found = Completion(
        _completion_id(event), event.program_id, event.person_id, event.lesson_id, event.edition, event.occurred_at
    )
    return row or document(found)


def _completion_id(event: LessonCompleted) -> str:
    return derived_id(event.lesson_id, event.person_id)


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


# --- waves and surveys -------------------------------------------------------------------------------------------


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
    if row is None and await _is_merged(db, events[0].person_id):
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
    return row is None or _before(row["entered_at"], event.occurred_at)


async def _survey(_: Database, row: Document | None, events: Sequence[SurveyClosed]) -> Document:
    if row is None:
        raise Incomplete("its results are with metrics; events carry no questions")
    return {**row, "state": "closed", "version": row["version"] + 1, "updated_at": events[-1].occurred_at}


def _lacks_survey(row: Document | None, _: SurveyClosed) -> bool:
    return row is None or row["state"] != "closed"


# --- acts --------------------------------------------------------------------------------------------------------


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
    return event.act in KINDS and (row is None or _before(row["updated_at"], event.occurred_at))


def _before(stored: datetime, told: datetime) -> bool:
    """MongoDB keeps milliseconds."""
    return int(stored.timestamp() * 1000) < int(told.timestamp() * 1000)


async def _attendance(
    db: Database, row: Document | None, events: Sequence[ActRecorded | ActWithdrawn]
) -> Document | None:
    first = events[0]
    if row is None and await _is_merged(db, first.ambassador_id):
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
        "person",
        "people",
        (
            PersonProvisioned,
            PersonUpdated,
            PersonDeactivated,
            AmbassadorInvited,
            AmbassadorInvitationWithdrawn,
            AmbassadorJoined,
            AmbassadorPaused,
            AmbassadorResumed,
            AmbassadorLeft,
        ),
        lambda event: str(event.person_id),
        _person,
        _lacks_person,
        ("memberships",),
    ),
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
    Kept("lesson", "lessons", (LessonPublished, LessonRetired), lambda event: str(event.lesson_id), _lesson),
    Kept("completed lesson", "completions", (LessonCompleted,), _completion_id, _completion, is_missing),
    Kept(
        "newsletter",
        "newsletters",
        (NewsletterSent,),
        lambda event: str(event.newsletter_id),
        _newsletter,
        _lacks_newsletter,
        ("state",),
    ),
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
