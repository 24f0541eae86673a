"""Job offers, links to them, referrals, and what the recruiting system says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Title
from chassis.web.json_bodies import Body
from chassis.web.times import Day, Moment
from services.program.commands.referrals import RecruitingCall
from services.program.domain.referrals import Referral, ReferralLink, ReferralState
from services.program.queries.referrals import Found, Invitation, Offers
from services.program.schemas.fields import AT, ID, PROGRAM_ID, View

REFERRAL_ID = "019c9a10-1c80-7b52-8d1f-2f6a0a7c41f7"
JOB_ID = "019c9e8a-7500-793b-a0cb-1e29658cda21"
CODE = "Qm7x2LdR9aKc4ZtB"
_OFFER: Any = {
    "id": JOB_ID,
    "title": "Reliability engineer, Lyon",
    "url": "https://jobs.example/reliability-engineer",
    "code": CODE,
}
_REFERRAL: Any = {
    "id": REFERRAL_ID,
    "program_id": PROGRAM_ID,
    "job_id": JOB_ID,
    "job_title": "Reliability engineer, Lyon",
    "person_id": ID,
    "state": "in_review",
    "candidate": "ATS-20417",
    "created_at": AT,
    "updated_at": AT,
    "delete_at": "2026-08-29T09:30:00.000Z",
    "rewarded_at": None,
}


class OfferView(View):
    """A job offer that one can refer somebody to."""

    id: str
    title: str
    url: str
    code: str | None = Field(description="Of the caller's link; null before there is one")


class OffersView(View):
    """A page of open job offers, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_OFFER], "next": None}]})

    items: list[OfferView]
    next: str | None

    @classmethod
    def of(cls, found: Offers) -> OffersView:
        items = [OfferView(id=one.offer.id, title=one.title, url=one.offer.url, code=one.code) for one in found.items]
        return cls(items=items, next=found.next)


class LinkView(View):
    """One's own link to a job offer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": CODE, "job_id": JOB_ID}]})

    code: str
    job_id: str

    @classmethod
    def of(cls, link: ReferralLink) -> LinkView:
        return cls(code=link.id, job_id=link.job_id)


class InvitationView(View):
    """What a link says to whoever follows it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Reliability engineer, Lyon",
                    "url": "https://jobs.example/reliability-engineer",
                    "open": True,
                    "program": "Voices",
                    "referrer": "Amina Diallo",
                    "referrer_id": ID,
                }
            ]
        }
    )

    title: str
    url: str
    open: bool
    program: str
    referrer: str = Field(description="Whose link it is: they gave it")
    referrer_id: str

    @classmethod
    def of(cls, found: Invitation) -> InvitationView:
        return cls(
            title=found.title,
            url=found.offer.url,
            open=found.offer.open and found.program.archived_at is None,
            program=found.program.name,
            referrer=found.referrer.name,
            referrer_id=found.referrer.id,
        )


class ReferralView(View):
    """A candidate who applied by somebody's link."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REFERRAL]})

    id: str
    program_id: str
    job_id: str
    job_title: str = Field(description="Empty where the job offer is not known here any more")
    person_id: str = Field(description="Who referred them")
    state: ReferralState
    candidate: str | None = Field(
        description="What the recruiting system calls them; null for the ambassador, and once it is deleted"
    )
    created_at: datetime
    updated_at: datetime
    delete_at: datetime = Field(description="When `candidate` is deleted")
    rewarded_at: datetime | None

    @classmethod
    def of(cls, one: Referral, title: str = "", *, named: bool = True) -> ReferralView:
        names = [name for name in cls.model_fields if name not in ("job_title", "candidate")]
        candidate = one.candidate if named else None
        return cls(job_title=title, candidate=candidate, **{name: getattr(one, name) for name in names})


class ReferralsView(View):
    """A page of referrals, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_REFERRAL], "next": None, "total": 1}]})

    items: list[ReferralView]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Found, *, named: bool = True) -> ReferralsView:
        items = [ReferralView.of(one, found.titles.get(one.job_id, ""), named=named) for one in found.items]
        return cls(items=items, next=found.next, total=found.total)


class RecruitingCallBody(Body):
    """What the recruiting system says of a candidate who applied by a link."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "link": CODE,
                    "candidate": "ATS-20417",
                    "state": "applied",
                    "consented_at": "2026-03-02T09:12:00Z",
                    "delete_on": "2026-08-31",
                    "email": "sam@mail.example",
                }
            ]
        }
    )

    link: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$", description="The code in the ambassador's link")]
    candidate: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,64}$",
            description="What the recruiting system calls the candidate: an id, no name and no address",
        ),
    ]
    state: ReferralState = Field(description="`applied` first; `withdrawn` where the candidate withdraws their consent")
    consented_at: Moment | None = Field(
        None, description="When the candidate consented that who referred them is told how far it is; with `applied`"
    )
    delete_on: Day | None = Field(None, description="When to forget the candidate, if earlier than by itself")
    email: Annotated[str, Title(254)] | None = Field(
        None, description="The candidate's, to refuse that somebody refers themselves; compared, and not kept"
    )

    def call(self) -> RecruitingCall:
        return RecruitingCall(**dict(self))
