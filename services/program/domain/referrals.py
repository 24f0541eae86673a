"""Referring a candidate: an ambassador's own link to a job offer, and what becomes of whoever applies by it.

Herald learns of a candidate from the recruiting system alone, by signed calls: nothing but the name that the recruiting
system has for them (`candidate`), with their consent, until a day on which it is deleted. What they are called and how
they are reached never comes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

from chassis.web.problems import Conflict, Invalid, Refused

ReferralState = Literal["applied", "in_review", "interview", "offer", "hired", "rejected", "withdrawn"]
STEPS: Final[tuple[ReferralState, ...]] = ("applied", "in_review", "interview", "offer", "hired")
"""In their order; steps may be passed over."""
OVER: Final = ("hired", "rejected", "withdrawn")
COUNTS_FROM: Final = STEPS.index("in_review")
"""The step from which a referral is an act: names alone earn nothing."""


@dataclass(frozen=True, slots=True)
class JobOffer:
    """A job offer that is published as an item; `titles` are by language."""

    id: str
    program_id: str
    revision: int
    titles: Mapping[str, str]
    url: str
    open: bool


@dataclass(frozen=True, slots=True)
class ReferralLink:
    """An ambassador's own link to a job offer; its id is the code in it."""

    id: str
    program_id: str
    job_id: str
    person_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Referral:
    """A candidate who applied by somebody's link. `candidate` is what the recruiting system calls them, None once that
    is deleted; `referral_act` and `hire_act` name in events what it counted as."""

    id: str
    program_id: str
    job_id: str
    person_id: str
    link: str
    version: int
    candidate: str | None
    consented_at: datetime
    delete_at: datetime
    created_at: datetime
    updated_at: datetime
    state: ReferralState = "applied"
    referral_act: str | None = None
    hire_act: str | None = None
    rewarded_at: datetime | None = None


def check_open(offer: JobOffer) -> JobOffer:
    """Raises Conflict `job-offer-closed`."""
    if not offer.open:
        raise Conflict("This job offer is closed.", type_="job-offer-closed")
    return offer


def apply(
    id: str,
    link: ReferralLink,
    candidate: str,
    *,
    own: bool,
    consented_at: datetime | None,
    delete_on: date | None,
    kept: timedelta,
    now: datetime,
) -> Referral:
    """A candidate who applied by a link; `own` says whether it is the one whose link it is. What is known of them is
    deleted after `kept`, or on an earlier day that they asked for. Raises Refused `own-referral`; Invalid:
    `consented_at` `consent-missing` or `future`, `delete_on` `past`."""
    if own:
        raise Refused("Nobody refers themselves.", type_="own-referral")
    if consented_at is None:
        raise Invalid.one("consented_at", "consent-missing", "The candidate has to consent first.")
    if consented_at > now + timedelta(minutes=5):
        raise Invalid.one("consented_at", "future", "This has not happened yet.")
    if delete_on is not None and delete_on <= now.date():
        raise Invalid.one("delete_on", "past", "That day is over.")
    last = now + kept
    asked = datetime(delete_on.year, delete_on.month, delete_on.day, tzinfo=now.tzinfo) if delete_on else last
    return Referral(
        id=id,
        program_id=link.program_id,
        job_id=link.job_id,
        person_id=link.person_id,
        link=link.id,
        version=1,
        candidate=candidate,
        consented_at=consented_at,
        delete_at=min(asked, last),
        created_at=now,
        updated_at=now,
    )


def move(before: Referral, state: ReferralState, *, act_ids: tuple[str, str], now: datetime) -> Referral:
    """The referral in a later state; the same object where it is in it. `act_ids` name the acts that it may count as
    from now on, as a referral and as a hire. A candidate who withdraws their consent is forgotten at once.

    Raises Conflict: `referral-over` for what ended otherwise, `referral-order` for an earlier step.
    """
    if state == "withdrawn" and before.state in OVER:
        return _forgotten(before, now) if before.candidate is not None else before
    if state == before.state:
        return before
    if before.state in OVER:
        raise Conflict("This referral has ended.", type_="referral-over", state=before.state)
    if state == "withdrawn":
        return _forgotten(replace(before, state=state), now)
    if state in STEPS and STEPS.index(state) < STEPS.index(before.state):
        raise Conflict("The referral is further than that.", type_="referral-order", state=before.state)
    counts = state in STEPS and STEPS.index(state) >= COUNTS_FROM
    return _next(
        replace(
            before,
            state=state,
            referral_act=before.referral_act or (act_ids[0] if counts else None),
            hire_act=act_ids[1] if state == "hired" else None,
        ),
        now,
    )


def forget(before: Referral, now: datetime) -> Referral:
    """Without what the recruiting system calls the candidate, where the day has come; else the same object."""
    return _forgotten(before, now) if before.candidate is not None and before.delete_at <= now else before


def reward(before: Referral, now: datetime) -> Referral:
    """Their reward was given; repeating changes nothing. Raises Conflict `referral-not-hired`."""
    if before.state != "hired":
        raise Conflict("There is a reward once the candidate is hired.", type_="referral-not-hired")
    return before if before.rewarded_at else _next(replace(before, rewarded_at=now), now)


def unreward(before: Referral, now: datetime) -> Referral:
    """It was not given after all; repeating changes nothing."""
    return _next(replace(before, rewarded_at=None), now) if before.rewarded_at else before


def _forgotten(referral: Referral, now: datetime) -> Referral:
    return _next(replace(referral, candidate=None), now)


def _next(referral: Referral, now: datetime) -> Referral:
    return replace(referral, version=referral.version + 1, updated_at=now)
