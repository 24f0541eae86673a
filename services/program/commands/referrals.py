"""Links to job offers, and what the recruiting system says of who applied by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chassis.ids import new_id, short_code
from chassis.mongo import Transaction
from chassis.web.problems import NotFound, Refused
from chassis.web.signatures import SignedCall
from services.program import event_mapping
from services.program.audit import REFERRAL
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import memberships, programs, referrals
from services.program.domain.referrals import Referral, ReferralLink, ReferralState

CODE_LENGTH = 16


async def make_link(context: Context, tx: Transaction, program_id: str, job_id: str, person_id: str) -> ReferralLink:
    """One's own link to a job offer; repeating changes nothing. Raises NotFound, Conflict: `not-a-member`,
    `program-archived`, `job-offer-closed`."""
    programs.check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(person_id, tx), program_id)
    referrals.check_open(await context.referrals.offer(program_id, job_id, tx))
    known = await context.referrals.own_link(program_id, person_id, job_id, tx)
    if known is not None:
        return known
    link = ReferralLink(short_code(CODE_LENGTH), program_id, job_id, person_id, tx.now)
    await context.referrals.insert_link(link, tx)
    return link


@dataclass(frozen=True, slots=True)
class RecruitingCall:
    """What the recruiting system says of a candidate who applied by a link. `email` is compared and not kept."""

    link: str
    candidate: str
    state: ReferralState
    consented_at: datetime | None = None
    delete_on: date | None = None
    email: str | None = None


async def take_call(context: Context, tx: Transaction, signed: SignedCall, call: RecruitingCall) -> None:
    """What the recruiting system says; repeating it changes nothing. The first that is said of a candidate is that
    they `applied`.

    Raises NotFound for a link or a candidate that is not known; Refused: `call-id-reused`, `own-referral`; Conflict:
    `referral-over`, `referral-order`, `job-offer-closed`; Invalid: `consent-missing` and others of `apply`.
    """
    known_call = await context.referrals.call(signed.id, tx)
    if known_call is not None:
        if known_call != signed.fingerprint:
            raise Refused("Another call has this id.", type_="call-id-reused", field="webhook-id")
        return
    link = await context.referrals.link(call.link, tx)
    link = replace(link, person_id=await context.people.present_id(link.person_id, tx))
    before = await context.referrals.find(link.id, call.candidate, tx)
    if before is None:
        if call.state != "applied":
            raise NotFound("candidate of this link", call.candidate)
        await _apply(context, tx, link, call)
    else:
        await _move(context, tx, before, call.state)
    await context.referrals.note_call(signed.id, signed.fingerprint, tx)


async def _apply(context: Context, tx: Transaction, link: ReferralLink, call: RecruitingCall) -> None:
    programs.check_active(await context.programs.get(link.program_id, tx))
    referrals.check_open(await context.referrals.offer(link.program_id, link.job_id, tx))
    referrer = await context.people.get(link.person_id, tx)
    referral = referrals.apply(
        new_id(),
        link,
        call.candidate,
        own=call.email is not None and call.email.strip().lower() == referrer.email,
        consented_at=call.consented_at,
        delete_on=call.delete_on,
        kept=timedelta(days=context.settings.candidate_days),
        now=tx.now,
    )
    await context.referrals.insert(referral, tx)


async def _move(context: Context, tx: Transaction, before: Referral, state: ReferralState) -> None:
    after = referrals.move(before, state, act_ids=(new_id(), new_id()), now=tx.now)
    if after is before:
        return
    await context.referrals.save(before, after, tx)
    person = await context.people.get(after.person_id, tx)
    if after.program_id not in person.joined:
        return  # who left earns nothing
    for act, id in (("referral", after.referral_act), ("hire", after.hire_act)):
        if id is not None and id not in (before.referral_act, before.hire_act):
            tx.emit(event_mapping.referral_recorded(after, act, id))


async def reward(context: Context, tx: Transaction, program_id: str, id: str) -> Referral:
    """The reward for a hire was given; repeating changes nothing. Raises NotFound, Conflict `referral-not-hired`."""
    before = await context.referrals.get(program_id, id, tx)
    return await save(context.referrals, REFERRAL, tx, "reward_referral", before, referrals.reward(before, tx.now))


async def unreward(context: Context, tx: Transaction, program_id: str, id: str) -> Referral:
    """It was not given after all; repeating changes nothing. Raises NotFound."""
    before = await context.referrals.get(program_id, id, tx)
    return await save(context.referrals, REFERRAL, tx, "unreward_referral", before, referrals.unreward(before, tx.now))


async def forget(context: Context, tx: Transaction, referral: Referral) -> None:
    """Delete what the recruiting system calls a candidate, where the day has come. Raises StaleVersion."""
    after = referrals.forget(referral, tx.now)
    if after is not referral:
        await context.referrals.save(referral, after, tx)
