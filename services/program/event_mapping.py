"""What happened here, as the events that others subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

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
    DigestPrepared,
    FeedbackSubmitted,
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
from herald_contracts.words import ActWithdrawal, CohortLeaveReason, LeaveReason, PersonOrigin
from services.program.domain.company_events import Attendance
from services.program.domain.expert_acts import ExpertAct
from services.program.domain.history import PastMembership
from services.program.domain.lessons import Completion, Lesson
from services.program.domain.newsletters import Newsletter
from services.program.domain.objectives import Objective
from services.program.domain.people import Person
from services.program.domain.programs import Program, Text
from services.program.domain.referrals import Referral
from services.program.domain.surveys import Results, Survey
from services.program.domain.waves import Member, Wave


def _state(person: Person) -> dict[str, Any]:
    """What others may know of a person: no name, no address."""
    return {
        "person_id": person.id,
        "revision": person.version,
        "accounts": [*person.accounts, *(one.account for one in person.devices)],
        "roles": list(person.roles),
        "program_roles": [one._asdict() for one in person.program_grants],
        "active": person.active,
        "country": person.country,
        "team": person.team,
        "locale": person.locale,
        "level": person.level,
        "site": person.site,
        "leader": person.leader,
        "has_email": person.email is not None,
        "hidden_from_rankings": person.hidden_from_rankings,
        "hidden_from_statistics": person.hidden_from_statistics,
        "occurred_at": person.updated_at,
    }


def person_provisioned(person: Person, origin: PersonOrigin) -> PersonProvisioned:
    return PersonProvisioned(origin=origin, **_state(person))


def person_updated(person: Person) -> PersonUpdated:
    return PersonUpdated(**_state(person))


def person_deactivated(person: Person) -> PersonDeactivated:
    return PersonDeactivated(person_id=person.id, revision=person.version, occurred_at=person.updated_at)


def ambassador_invited(person: Person, program_id: str) -> AmbassadorInvited:
    membership = person.in_program(program_id)
    return AmbassadorInvited(
        person_id=person.id,
        program_id=program_id,
        invitation_id=str(membership.invitation_id),
        occurred_at=membership.since,
    )


def invitation_withdrawn(person: Person, program_id: str, now: datetime) -> AmbassadorInvitationWithdrawn:
    """From the person as they were before."""
    return AmbassadorInvitationWithdrawn(
        person_id=person.id,
        program_id=program_id,
        invitation_id=str(person.in_program(program_id).invitation_id),
        occurred_at=now,
    )


def ambassador_joined(person: Person, program_id: str, now: datetime) -> AmbassadorJoined:
    return AmbassadorJoined(
        person_id=person.id,
        program_id=program_id,
        consent_version=person.in_program(program_id).consent_version or 0,
        revision=person.version,
        occurred_at=now,
    )


def ambassador_left(person: Person, program_id: str, reason: LeaveReason, now: datetime) -> AmbassadorLeft:
    return AmbassadorLeft(
        person_id=person.id, program_id=program_id, reason=reason, revision=person.version, occurred_at=now
    )


def ambassador_paused(person: Person, program_id: str, now: datetime) -> AmbassadorPaused:
    return AmbassadorPaused(person_id=person.id, program_id=program_id, revision=person.version, occurred_at=now)


def ambassador_resumed(person: Person, program_id: str, now: datetime) -> AmbassadorResumed:
    return AmbassadorResumed(person_id=person.id, program_id=program_id, revision=person.version, occurred_at=now)


def past_membership(past: PastMembership) -> tuple[AmbassadorJoined, AmbassadorLeft]:
    """The beginning and the end of a membership with another product."""
    names: dict[str, Any] = {"person_id": past.person_id, "program_id": past.program_id, "origin": "imported"}
    return (
        AmbassadorJoined(**names, occurred_at=past.joined_at),
        AmbassadorLeft(**names, reason="left", occurred_at=past.left_at),
    )


def program_created(program: Program) -> ProgramCreated:
    return ProgramCreated(
        program_id=program.id,
        name=program.name,
        time_zone=program.time_zone,
        languages=list(program.languages),
        occurred_at=program.created_at,
    )


def program_changed(program: Program) -> ProgramChanged:
    return ProgramChanged(
        program_id=program.id,
        revision=program.version,
        name=program.name,
        open=program.open,
        colour=program.colour,
        occurred_at=program.updated_at,
    )


def program_archived(program: Program) -> ProgramArchived:
    return ProgramArchived(program_id=program.id, revision=program.version, occurred_at=program.updated_at)


def program_restored(program: Program) -> ProgramRestored:
    return ProgramRestored(program_id=program.id, revision=program.version, occurred_at=program.updated_at)


def objective_set(objective: Objective) -> ObjectiveSet:
    return ObjectiveSet(
        program_id=objective.program_id,
        objective_id=objective.id,
        revision=objective.version,
        use_case=objective.use_case,
        kpi=objective.kpi,
        baseline=objective.baseline,
        target=objective.target,
        starts_on=objective.starts_on,
        ends_on=objective.ends_on,
        title=objective.title or None,
        owner_id=objective.owner_id,
        baseline_source=objective.baseline_source,
        items=list(objective.items),
        challenges=list(objective.challenges),
        state=objective.state,
        occurred_at=objective.updated_at,
    )


def objective_reviewed(objective: Objective) -> ObjectiveReviewed:
    return ObjectiveReviewed(
        program_id=objective.program_id,
        objective_id=objective.id,
        revision=objective.version,
        person_id=str(objective.reviewed_by),
        occurred_at=objective.updated_at,
    )


def guideline_published(text: Text) -> GuidelinePublished:
    return GuidelinePublished(
        program_id=text.program_id,
        version=text.version,
        material=text.material,
        languages=list(text.texts),
        occurred_at=text.published_at,
    )


def guideline_acknowledged(person: Person, program_id: str, version: int, now: datetime) -> GuidelineAcknowledged:
    return GuidelineAcknowledged(program_id=program_id, person_id=person.id, version=version, occurred_at=now)


def survey_closed(survey: Survey, results: Results) -> SurveyClosed:
    """Of a survey that too few answered, no score and no number."""
    return SurveyClosed(
        program_id=survey.program_id,
        survey_id=survey.id,
        wave_id=survey.wave_id,
        opens_on=survey.opens_on,
        closes_on=survey.closes_on,
        answers=results.answers,
        enps=results.enps,
        promoters=results.promoters,
        detractors=results.detractors,
        means=[one.mean for one in results.questions],
        occurred_at=survey.updated_at,
    )


def feedback_submitted(survey: Survey, person_id: str) -> FeedbackSubmitted:
    """Dated by the survey's end: nobody learns when this person answered."""
    return FeedbackSubmitted(
        program_id=survey.program_id, survey_id=survey.id, person_id=person_id, occurred_at=survey.updated_at
    )


def lesson_published(lesson: Lesson) -> LessonPublished:
    return LessonPublished(
        program_id=lesson.program_id,
        lesson_id=lesson.id,
        revision=lesson.version,
        edition=lesson.edition,
        languages=list(lesson.latest.texts),
        required_for=list(lesson.latest.required_for),
        occurred_at=lesson.updated_at,
    )


def lesson_retired(lesson: Lesson) -> LessonRetired:
    return LessonRetired(
        program_id=lesson.program_id, lesson_id=lesson.id, revision=lesson.version, occurred_at=lesson.updated_at
    )


def lesson_completed(completion: Completion, paths: Sequence[str]) -> LessonCompleted:
    return LessonCompleted(
        program_id=completion.program_id,
        person_id=completion.person_id,
        lesson_id=completion.lesson_id,
        edition=completion.edition,
        paths=list(paths),
        occurred_at=completion.completed_at,
    )


def digest_prepared(newsletter: Newsletter, first: date, last: date) -> DigestPrepared:
    return DigestPrepared(
        program_id=newsletter.program_id,
        newsletter_id=newsletter.id,
        period_first=first,
        period_last=last,
        languages=sorted(newsletter.subjects),
        blocks=[block.kind for block in newsletter.blocks],
        occurred_at=newsletter.created_at,
    )


def newsletter_sent(newsletter: Newsletter) -> NewsletterSent:
    counts = newsletter.counts
    return NewsletterSent(
        program_id=newsletter.program_id,
        newsletter_id=newsletter.id,
        languages=sorted(newsletter.subjects),
        sent=counts.get("sent", 0),
        not_sent=sum(count for state, count in counts.items() if state != "sent"),
        stopped=newsletter.state == "stopped",
        occurred_at=newsletter.updated_at,
    )


def cohort_started(wave: Wave) -> CohortStarted:
    return CohortStarted(
        program_id=wave.program_id,
        wave_id=wave.id,
        revision=wave.version,
        starts_on=wave.starts_on,
        ends_on=wave.ends_on,
        occurred_at=wave.updated_at,
    )


def cohort_joined(wave: Wave, person_id: str, now: datetime) -> CohortJoined:
    return CohortJoined(program_id=wave.program_id, wave_id=wave.id, person_id=person_id, occurred_at=now)


def cohort_left(member: Member, reason: CohortLeaveReason, now: datetime) -> CohortLeft:
    return CohortLeft(
        program_id=member.program_id,
        wave_id=member.wave_id,
        person_id=member.person_id,
        reason=reason,
        occurred_at=now,
    )


def wave_decided(wave: Wave) -> WaveDecided:
    return WaveDecided(
        program_id=wave.program_id,
        wave_id=wave.id,
        revision=wave.version,
        decision=str(wave.decision),
        decided_by=list(wave.decided_by),
        occurred_at=wave.updated_at,
    )


def wave_reopened(wave: Wave) -> WaveReopened:
    return WaveReopened(program_id=wave.program_id, wave_id=wave.id, revision=wave.version, occurred_at=wave.updated_at)


def expert_act_recorded(act: ExpertAct) -> ActRecorded:
    """Dated by its confirmation: rules are never retroactive."""
    return ActRecorded(**_expert_act(act), occurred_at=act.updated_at)


def expert_act_withdrawn(act: ExpertAct, reason: ActWithdrawal, now: datetime) -> ActWithdrawn:
    """From the act as it was confirmed."""
    return ActWithdrawn(**_expert_act(act), reason=reason, occurred_at=now)


def _expert_act(act: ExpertAct) -> dict[str, Any]:
    return {
        "act_id": str(act.act_id),
        "ambassador_id": act.person_id,
        "program_id": act.program_id,
        "act": act.act,
        "object_id": act.id,
    }


def referral_recorded(referral: Referral, act: str, act_id: str) -> ActRecorded:
    """A candidate was taken up, or hired: nothing of who they are."""
    return ActRecorded(
        act_id=act_id,
        ambassador_id=referral.person_id,
        program_id=referral.program_id,
        act=act,
        object_id=referral.id,
        occurred_at=referral.updated_at,
    )


def attendance_recorded(attendance: Attendance, act: str, act_id: str, now: datetime) -> ActRecorded:
    """Somebody was at an event, or spoke there."""
    return ActRecorded(**_attendance(attendance, act, act_id), occurred_at=now)


def speaker_withdrawn(attendance: Attendance, now: datetime) -> ActWithdrawn:
    """From the attendance as it was."""
    names = _attendance(attendance, "event_speaker", str(attendance.speaker_act))
    return ActWithdrawn(**names, reason="manager", occurred_at=now)


def _attendance(attendance: Attendance, act: str, act_id: str) -> dict[str, Any]:
    return {
        "act_id": act_id,
        "ambassador_id": attendance.person_id,
        "program_id": attendance.program_id,
        "act": act,
        "object_id": attendance.event_id,
    }
