"""Signing in with a one-time code, for those who have no account at the identity provider."""

from __future__ import annotations

from fastapi import Depends, Request, Response

from chassis.web.http import Device, Router, Unit
from chassis.web.proxies import TrustedProxies
from chassis.web.statuses import problems, refuses
from services.program.api.base import Manages, Use
from services.program.commands import access
from services.program.domain.access import new_code
from services.program.domain.people import Code
from services.program.schemas.access import AccessView, CodeView, DeviceView, TypedCode

router = Router(tags=["signing in with a code"])


@refuses(429)
async def _rarely(request: Request, context: Use) -> None:
    peer = request.client.host if request.client else ""
    proxies = TrustedProxies(context.settings.trusted_proxies)
    address = proxies.origin(peer, request.headers.get("x-forwarded-for", ""))
    await request.app.state.rate_limits.hit("codes", context.settings.rate_codes, address)


@router.post("/device", summary="Sign a device in", response_model=DeviceView, dependencies=[Depends(_rarely)])
async def redeem(body: TypedCode, token: Device, unit: Unit, context: Use) -> Response:
    """Lets the device in whose token (`hdv_` and 256 random bits in base64url, made up by the caller) this request
    carries, as the person whose one-time code it is, and as an ambassador at most. A code that was used, ended, was
    replaced or never was is 422 `code-unknown`, all alike. Repeating it with the same token changes nothing."""
    hash = await access.hash_of(body.code)
    return await unit.run(lambda tx: access.redeem(context, tx, hash, token.account), view=DeviceView.of, keyed=False)


@router.post("/device/end", summary="Sign a device out", status_code=204)
async def end_own(token: Device, unit: Unit, context: Use) -> Response:
    """The device of this request's token. Repeating it changes nothing."""
    return await unit.run(lambda tx: access.end_own_device(context, tx, token.account), status=204)


@router.get(
    "/programs/{program_id}/ambassadors/{person_id}/access",
    summary="How somebody signs in",
    response_model=AccessView,
    responses=problems(409),
)
async def get_access(program_id: str, person_id: str, _: Manages, context: Use) -> AccessView:
    """Whether a code may let them in, until when theirs holds, and on which devices they are signed in by one. 409
    `not-a-member` for somebody who has nothing to do with the programme."""
    return AccessView.of(await access.of_program(context, program_id, person_id), context.clock.now())


@router.post(
    "/programs/{program_id}/ambassadors/{person_id}/code",
    summary="Give somebody a one-time code",
    response_model=CodeView,
    status_code=201,
)
async def issue_code(program_id: str, person_id: str, caller: Manages, unit: Unit, context: Use) -> Response:
    """Told once, and holds for `HERALD_CODE_MINUTES`; a code that they had before does not hold any more. For people
    of the programme who have neither an e-mail address nor an account at the identity provider: 409 `has-account`,
    `not-a-member`. No `Idempotency-Key` is taken: nothing keeps the code."""
    code = new_code()
    hash = await access.hash_of(code)
    assert hash is not None

    def view(issued: Code) -> CodeView:
        return CodeView(code=code, ends_at=issued.ends_at)

    return await unit.run(
        lambda tx: access.issue_code(context, tx, program_id, person_id, hash, by=caller.id),
        view=view,
        status=201,
        keyed=False,
    )


@router.post(
    "/programs/{program_id}/ambassadors/{person_id}/devices/end",
    summary="Sign somebody out of their devices",
    response_model=AccessView,
)
async def end_devices(program_id: str, person_id: str, _: Manages, unit: Unit, context: Use) -> Response:
    """Those that a one-time code let in, everywhere within seconds; a code that waits does not hold any more. Repeating
    it changes nothing."""
    return await unit.run(
        lambda tx: access.end_devices(context, tx, program_id, person_id),
        view=lambda person: AccessView.of(person, context.clock.now()),
    )
