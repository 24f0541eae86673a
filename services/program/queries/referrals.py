"""Job offers with one's own links, and referrals for those who made them and those who reward them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.people import Person
from services.program.domain.programs import Program, choose_language
from services.program.domain.referrals import JobOffer, Referral, ReferralState
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Offered:
    """An open job offer, its title in the reader's language, and the code of their link to it."""

    offer: JobOffer
    title: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Offers:
    """A page, the newest first."""

    items: Sequence[Offered]
    next: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of referrals, the newest first, with the titles of their job offers."""

    items: Sequence[Referral]
    titles: Mapping[str, str]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link says to who follows it."""

    program: Program
    referrer: Person
    offer: JobOffer
    title: str


async def offers(
    context: Context, program_id: str, person_id: str, language: str | None, cursor: str | None, limit: int
) -> Offers:
    """Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.referrals.offers(program_id, after[0] if after else None, limit + 1)
    codes = await context.referrals.own_links(program_id, person_id, [one.id for one in found])
    items = [Offered(one, _title(one, language), codes.get(one.id)) for one in found[:limit]]
    return Offers(items, encode_cursor([found[limit - 1].id]) if len(found) > limit else None)


async def page(
    context: Context,
    program_id: str,
    *,
    person_id: str | None = None,
    state: ReferralState | None = None,
    language: str | None,
    cursor: str | None,
    limit: int,
) -> Found:
    """All of a programme, or a person's own. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.referrals.page(
        program_id, person_id=person_id, state=state, after=after[0] if after else None, limit=limit + 1
    )
    jobs = await context.referrals.offers_by_id({one.job_id for one in found})
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    total = await context.referrals.count(program_id, person_id=person_id, state=state)
    return Found(found[:limit], {id: _title(one, language) for id, one in jobs.items()}, following, total)


async def invitation(context: Context, code: str, language: str | None) -> Invitation:
    """Raises NotFound."""
    link = await context.referrals.link(code)
    offer = await context.referrals.offer(link.program_id, link.job_id)
    program = await context.programs.get(link.program_id)
    return Invitation(program, await context.people.get(link.person_id), offer, _title(offer, language))


def _title(offer: JobOffer, language: str | None) -> str:
    return offer.titles[choose_language(offer.titles, language, list(offer.titles))]
