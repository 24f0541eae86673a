"""Referring candidates: job offers, links, what becomes of them, and the recruiting system's calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from chassis.web.http import Cursor, Limit, Person, Router, Unit
from chassis.web.rights import FOR_ANYONE, FOR_SIGNED
from chassis.web.signatures import SignedCall, secret_of, verify
from chassis.web.statuses import problems, refuses
from services.program import queries
from services.program.api.base import Language, Manager, Manages, Use
from services.program.commands import referrals
from services.program.domain.referrals import ReferralState
from services.program.schemas.referrals import (
    InvitationView,
    LinkView,
    OffersView,
    RecruitingCallBody,
    ReferralsView,
    ReferralView,
)

router = Router(tags=["acts"])


@router.get("/programs/{program_id}/job-offers", summary="Job offers to refer to", response_model=OffersView)
async def job_offers(
    program_id: str,
    caller: Person,
    context: Use,
    language: Language = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> OffersView:
    """The open job offers among the programme's items, with the caller's link to each."""
    return OffersView.of(await queries.referrals.offers(context, program_id, caller.id, language, cursor, limit))


@router.post("/programs/{program_id}/job-offers/{job_id}/link", summary="Make my link", response_model=LinkView)
async def make_link(program_id: str, job_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """The caller's own link to a job offer. For ambassadors: 409 `not-a-member`; 409 `job-offer-closed`. Repeating it
    answers the same."""
    return await unit.run(lambda tx: referrals.make_link(context, tx, program_id, job_id, caller.id), view=LinkView.of)


@router.get("/programs/{program_id}/referrals/mine", summary="My referrals", response_model=ReferralsView)
async def my_referrals(
    program_id: str,
    caller: Person,
    context: Use,
    language: Language = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReferralsView:
    """How far the candidates are whom the caller referred; who they are is not said."""
    found = await queries.referrals.page(
        context, program_id, person_id=caller.id, language=language, cursor=cursor, limit=limit
    )
    return ReferralsView.of(found, named=False)


@router.get("/programs/{program_id}/referrals", summary="List referrals", response_model=ReferralsView)
async def list_referrals(
    program_id: str,
    _: Manages,
    context: Use,
    state: Annotated[ReferralState | None, Query()] = None,
    language: Language = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReferralsView:
    """All of a programme, the newest first; in one state, or in all."""
    found = await queries.referrals.page(
        context, program_id, state=state, language=language, cursor=cursor, limit=limit
    )
    return ReferralsView.of(found)


@router.post(
    "/programs/{program_id}/referrals/{referral_id}/reward", summary="Reward a hire", response_model=ReferralView
)
async def reward(program_id: str, referral_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """The reward was given. 409 `referral-not-hired` before the candidate is hired. Repeating it changes nothing."""
    return await unit.run(lambda tx: referrals.reward(context, tx, program_id, referral_id), view=ReferralView.of)


@router.post(
    "/programs/{program_id}/referrals/{referral_id}/unreward",
    summary="Take back that a hire was rewarded",
    response_model=ReferralView,
)
async def unreward(program_id: str, referral_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Repeating it changes nothing."""
    return await unit.run(lambda tx: referrals.unreward(context, tx, program_id, referral_id), view=ReferralView.of)


@router.get("/referral-links/{code}", summary="Follow a link", response_model=InvitationView, dependencies=[FOR_ANYONE])
async def follow_link(code: str, context: Use, language: Language = None) -> InvitationView:
    """What a link says to whoever follows it: which job offer, and whose link it is."""
    return InvitationView.of(await queries.referrals.invitation(context, code, language))


@refuses(401, 429)
async def _signed(request: Request, context: Use) -> SignedCall:
    secrets = [secret_of(one) for one in context.settings.recruiting_secret_texts]
    return verify(secrets, request.headers, await request.body(), context.clock.now())


@router.post(
    "/recruiting-calls",
    summary="Tell of a candidate",
    status_code=204,
    dependencies=[FOR_SIGNED],
    responses=problems(404, 409, 422),
)
async def recruiting_call(
    body: RecruitingCallBody, signed: Annotated[SignedCall, Depends(_signed)], context: Use
) -> Response:
    """For the recruiting system, signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`,
    `webhook-signature`) with a secret of `HERALD_RECRUITING_SECRETS`. A call with the same id takes effect once; 401
    `signature-refused` without a signature that is right and not older than five minutes; 404 for a link or a candidate
    that is not known; 422 `consent-missing` and `own-referral`."""
    await context.mongo.transact(lambda tx: referrals.take_call(context, tx, signed, body.call()))
    return Response(status_code=204)
