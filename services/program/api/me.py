"""The caller: signing in, preferences, invitations."""

from __future__ import annotations

from fastapi import Response

from chassis.mongo import Transaction
from chassis.web.http import Account, Person, Router, Unit
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Language, Use
from services.program.commands import people
from services.program.schemas.me import InvitationsView, MeView, Preferences, SignIn, ViewersView, invitations_of
from services.program.schemas.places import PlaceView

router = Router(tags=["me"])
MAX_VIEWERS = 100


@router.put("/me", summary="Sign in", response_model=MeView, responses=problems(403))
async def sign_in(body: SignIn, token: Account, unit: Unit, context: Use) -> Response:
    """Makes or links the person of the token: known by account; else by the e-mail address that the issuer verified,
    while nobody signed in as the one who has it; else new from the claims `name`, `locale`, `country` and `team`.
    Repeating it changes nothing."""

    async def command(tx: Transaction) -> queries.people.Me:
        return await queries.people.me(context, await people.sign_in(context, tx, token, body.locale), tx)

    return await unit.run(command, view=MeView.of)


@router.get("/me", summary="Who I am", response_model=MeView)
async def me(caller: Person, context: Use) -> MeView:
    """The caller with roles, preferences, programmes and invitations."""
    return MeView.of(await queries.people.me(context, await context.people.get(caller.id)))


@router.patch("/me", summary="Change my preferences", response_model=MeView)
async def choose(body: Preferences, caller: Person, unit: Unit, context: Use) -> Response:
    """Language, clock and holidays, whether to appear in leaderboards and named statistics, and whether to see a weekly
    tip."""

    async def command(tx: Transaction) -> queries.people.Me:
        return await queries.people.me(context, await people.choose(context, tx, caller.id, **body.model_dump()), tx)

    return await unit.run(command, view=MeView.of)


@router.get("/me/place", summary="My clock and my holidays", response_model=PlaceView)
async def place(caller: Person, context: Use, language: Language = None) -> PlaceView:
    """The time zone and the holidays by which nothing is pushed to the caller at night and on a day off; changed by
    `PATCH /v1/me`."""
    me = await context.people.get(caller.id)
    return PlaceView.of(await queries.places.place(context, me, language, context.clock.now()))


@router.get("/me/invitations", summary="My invitations", response_model=InvitationsView)
async def invitations(caller: Person, context: Use) -> InvitationsView:
    """The invitations that wait for an answer."""
    return InvitationsView(items=invitations_of(await queries.people.me(context, await context.people.get(caller.id))))


@router.get("/me/viewers", summary="Who can see what of me", response_model=ViewersView)
async def viewers(caller: Person, context: Use) -> ViewersView:
    """Those who see the caller's data by their role: administrators and managers see the person as `GET /people/{id}`
    answers it, managers of one programme those who have to do with it. Nobody else sees more than a name with team
    and country."""
    me = await context.people.get(caller.id)
    return ViewersView.of(*await queries.people.viewers(context, me, MAX_VIEWERS))
