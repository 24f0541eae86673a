"""What routes are written with: who calls, what they may do, the unit of work, versions and cursors."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import ConfigDict, Field

from chassis.principals import CLIENT_PREFIX, Principal
from chassis.web.idempotency import UnitOfWork
from chassis.web.json_bodies import JsonRequest, strict
from chassis.web.problems import (
    Forbidden,
    ForeignCursor,
    PreconditionRequired,
    Problem,
    StaleVersion,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from chassis.web.proxies import TrustedProxies
from chassis.web.read_after_write import AFTER, after
from chassis.web.rights import (
    ACCOUNT,
    ANYONE,
    DEVICE,
    PERSON,
    SCOPE_PREFIX,
    SIGNED,
    meets,
    needs,
    person_needed,
    refusal,
    rights_in,
)
from chassis.web.signatures import check_signed
from chassis.web.statuses import check_declared, refusals, refuses
from chassis.web.tokens import Token as VerifiedToken

_bearer = HTTPBearer(auto_error=False, description="An OIDC access token")
_ENTITY_TAGS = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+')
_STRONG_VERSION = re.compile(r'(?:^|,)\s*"(\d{1,9})"')
MAX_CURSOR = 1024
MAX_IF_MATCH = 1024
MAX_MEMBERS, MAX_VALUES = 12_000, 40_000
"""Members and values of a body, told by its colons and commas: each that is wrong costs a sentence of its own."""
PRESENT_SECONDS = 0.5
"""How long a caller who was looked up before their body was read is taken for the present one."""
ANY_VERSION = -1
Expected = int | frozenset[int]
"""Which versions a change may follow on: one, any of some, or `ANY_VERSION`."""


def example(**values: Any) -> ConfigDict:
    """The configuration of a model that answers, with what an answer looks like."""
    return ConfigDict(frozen=True, json_schema_extra={"example": values})


class JsonRoute(APIRoute):
    """A route that requires `application/json` where it declares a body, takes it strictly, declares its refusals, and
    says where its caller stands with a rate limit."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        strict(endpoint)
        # What the route asks of its caller goes before all else that its dependencies look at.
        options["dependencies"] = [*rights_in(endpoint), *(options.get("dependencies") or ())]
        super().__init__(path, endpoint, **options)
        self.responses = {**refusals(self), **self.responses}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            request = JsonRequest(request.scope, request.receive)
            media = _media_type(request)
            if self.body_field is not None and media and media != "application/json" and not media.endswith("+json"):
                raise UnsupportedMedia("Send application/json.", accepted=["application/json"])
            try:
                if self.body_field is not None:
                    _check_values(await request.body())
                response = await handle(request)
            except Problem as problem:
                check_declared(self, problem.status)
                raise
            check_declared(self, response.status_code)
            if (standing := getattr(request.state, "rate_limit", None)) is not None:
                response.headers.update(standing.headers)
            return response

        return checked


def _media_type(request: Request) -> str:
    """The media type of a body without its parameters; empty where none is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_values(body: bytes) -> None:
    """Raises TooLarge."""
    if body.count(b":") > MAX_MEMBERS or body.count(b",") > MAX_VALUES:
        raise TooLarge(f"At most {MAX_MEMBERS} colons and {MAX_VALUES} commas.", limit=MAX_MEMBERS)


class Router(APIRouter):
    """What a service declares its routes on; all of them begin with `/v1`."""

    def __init__(self, *, prefix: str = "", **options: Any) -> None:
        super().__init__(prefix=f"/v1{prefix}", route_class=JsonRoute, **options)

    def join(self, *parts: APIRouter) -> None:
        """Offer the routes of other routers too, as they are. `include_router` would make each of them anew."""
        for part in parts:
            self.routes += part.routes


def bearer_token(request: Request) -> str:
    """The token of the Authorization header. Raises Unauthenticated if there is none."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"}, rule="missing")
    return text.strip()


@refuses(401)
async def _token(request: Request, _: Annotated[Any, Depends(_bearer)]) -> VerifiedToken:
    token: VerifiedToken = await request.app.state.tokens.verify(bearer_token(request))
    return token


Token = Annotated[VerifiedToken, Depends(_token)]


def consumes(*media_types: str) -> Any:
    """A dependency of routes that read `request.body()` themselves: 415 for anything else."""

    @refuses(413, 415)
    def check(request: Request, _: Token) -> None:
        if _media_type(request) not in media_types:
            raise UnsupportedMedia(f"Send one of {', '.join(media_types)}.", accepted=list(media_types))

    return Depends(check)


@refuses(403, 429)
async def _caller(request: Request, token: Token, _: Annotated[None, Depends(after)]) -> Principal:
    principal = (await _principal(request, token)).within(_program_of(request))
    request.state.principal = principal
    return principal


def _program_of(request: Request) -> str | None:
    """The programme that a request is about: named by its path, or by the parameter to which its route keeps."""
    if (named := request.path_params.get("program_id")) is not None:
        return str(named)
    route = request.scope.get("route")
    declared = isinstance(route, APIRoute) and any(one.alias == "program_id" for one in route.dependant.query_params)
    return request.query_params.get("program_id") if declared else None


async def _principal(request: Request, token: VerifiedToken) -> Principal:
    """Who calls; counted and looked up once a request, and looked up again where its body was long on its way."""
    state = request.app.state
    known: tuple[Principal, float] | None = getattr(request.state, "found", None)
    if known is None:
        await state.rate_limits.hit_locally("general", state.settings.rate_general, token.account)
    elif time.monotonic() - known[1] < PRESENT_SECONDS:
        return known[0]
    found = _machine(token.machine, token.scopes) if token.machine else await _find_person(request, token)
    if found is None:
        raise Forbidden("This person is not known here (yet).", type_="unknown-person")
    request.state.found = found, time.monotonic()
    return found


def _machine(client: str, scopes: frozenset[str]) -> Principal:
    own = frozenset(scope for scope in scopes if scope.startswith(SCOPE_PREFIX))
    return Principal(id=f"{CLIENT_PREFIX}{client}", scopes=own)


async def _find_person(request: Request, token: VerifiedToken) -> Principal | None:
    """Whose account it is. Raises Forbidden where they left."""
    person: Principal | None = await request.app.state.principals.find(token.account)
    if person is not None and not person.active:
        raise Forbidden("This person has left.", type_="inactive")
    return person.on_device() if person is not None and token.device else person


async def limit_signed(request: Request) -> None:
    """Count a call without a token by the address it comes from. Raises TooManyRequests."""
    state, peer = request.app.state, request.client.host if request.client else ""
    origin = TrustedProxies(state.settings.trusted_proxies).origin(peer, request.headers.get("x-forwarded-for", ""))
    await state.rate_limits.hit_locally("signed", state.settings.rate_general, origin)


async def check_right(request: Request, words: tuple[str, ...], *, somewhere: bool) -> None:
    """Ask for the right of a request's route before its body is there. Raises what the route itself would, later."""
    if words == (SIGNED,):
        check_signed(request.headers)
        await limit_signed(request)
        return
    token: VerifiedToken = await request.app.state.tokens.verify(bearer_token(request))
    if words == (DEVICE,):
        await _device(token)
        return
    if words == (ANYONE,) and not token.device:
        return
    await after(request, request.headers.get(AFTER))
    if words == (ACCOUNT,):
        await _account(token)
        await _find_person(request, token)
        return
    if words == (ANYONE,):
        await _principal(request, token)
        return
    _check((await _principal(request, token)).within(_program_of(request)), words, somewhere=somewhere)


def _check(caller: Principal, words: tuple[str, ...], *, somewhere: bool) -> None:
    if not meets(caller.with_all_roles() if somewhere else caller, words):
        raise refusal(caller, words)


Caller = Annotated[Principal, Depends(_caller)]


def service_context(request: Request) -> Any:
    """A dependency that gives the service's `Context`."""
    return request.app.state.context


def limited(name: str) -> Any:
    """A dependency of routes that a caller may use so often: `rate_<name>` of the service's settings."""

    @refuses(429)
    async def check(request: Request, caller: Caller) -> None:
        rate: str = getattr(request.app.state.settings, f"rate_{name}")
        request.state.rate_limit = await request.app.state.rate_limits.hit(name, rate, caller.id)

    return Depends(check)


def check_role(caller: Principal, program_id: str, *words: str) -> None:
    """Raises Forbidden unless the caller meets one of the needs, everywhere or in this programme."""
    if not meets(caller.within(program_id), words):
        raise refusal(caller, words)


def requires(*words: str, somewhere: bool = False) -> Any:
    """A dependency that gives the caller if they meet one of the needs (`chassis.web.rights`): everywhere, or in the
    programme that the path or the query names. With `somewhere` a role in any programme is enough: the route asks
    `check_role` for the programme of what it is about.

    What is done on a route for which a role is needed is an administrative act: it leaves a trace (`UnitOfWork`).
    """
    administrative = PERSON not in words and any(not word.startswith(SCOPE_PREFIX) for word in words)

    @needs(*words, somewhere=somewhere)
    @refuses(403)
    async def check(request: Request, caller: Caller) -> Principal:
        request.state.administrative = administrative
        _check(caller, words, somewhere=somewhere)
        return caller

    return Depends(check)


Person = Annotated[Principal, requires(PERSON)]


@needs(ACCOUNT)
async def _account(token: Token) -> VerifiedToken:
    if token.machine:
        raise person_needed()
    if token.device:
        raise Forbidden("This is for those who sign in with the identity provider.", type_="account-needed")
    return token


Account = Annotated[VerifiedToken, Depends(_account)]
"""The token of a person, whom this service need not know yet."""


@needs(DEVICE)
@refuses(403)
async def _device(token: Token) -> VerifiedToken:
    if not token.device:
        raise Forbidden("This is for a device's own token.", type_="device-needed")
    return token


Device = Annotated[VerifiedToken, Depends(_device)]
"""The token of a browser, which need not be let in yet."""


IdempotencyKey = Annotated[
    str | None, Header(description="Repeat a request with the same key and it takes effect once")
]


async def _acting(request: Request, token: Token) -> UnitOfWork:
    return UnitOfWork(request.app.state.mongo, request, token.account, token.session)


Acting = Annotated[UnitOfWork, Depends(_acting)]
"""For acts that no key repeats: its `transact` alone is called."""


@refuses(409, 422)
async def _unit(unit: Acting, idempotency_key: IdempotencyKey = None) -> UnitOfWork:
    return unit


Unit = Annotated[UnitOfWork, Depends(_unit)]


class Versioned(Protocol):
    """What counts its changes."""

    @property
    def version(self) -> int: ...


def version_of(versioned: Versioned) -> int:
    """What the ETag of an answer is made of."""
    return versioned.version


def etag(version: int) -> dict[str, str]:
    """The header of a strong ETag for a version."""
    return {"ETag": f'"{version}"'}


@refuses(412, 428)
def _if_match(if_match: Annotated[str | None, Header(examples=['"7"'])] = None) -> Expected | None:
    """RFC 9110, 13.1.1: `*`, or a list of tags, of which weak ones match nothing."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return ANY_VERSION
    if len(if_match) > MAX_IF_MATCH or not _ENTITY_TAGS.fullmatch(if_match):
        raise StaleVersion("If-Match names no version: send the ETag that you read, in quotes.")
    versions = frozenset(map(int, _STRONG_VERSION.findall(if_match)))
    if not versions:
        raise StaleVersion("If-Match names no version that ever was; weak tags match none.")
    return versions


IfMatch = Annotated[Expected | None, Depends(_if_match)]


def check_version(expected: Expected | None, actual: int, *, required: bool = True) -> None:
    """Raises PreconditionRequired without an If-Match where one is needed, StaleVersion where it does not hold.

    `If-Match: *` holds for every version that is there (RFC 9110, 13.1.1).
    """
    if expected is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag that you read.")
        return
    if expected == ANY_VERSION:
        holds = actual > 0
    else:
        holds = actual in expected if isinstance(expected, frozenset) else actual == expected
    if not holds:
        raise StaleVersion(f"The present version is {actual}.", version=actual)


def encode_cursor(position: Any) -> str:
    """An opaque cursor of any JSON value but null."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> Any:
    """What `encode_cursor` was given; None without a cursor. Raises Invalid for anything else."""
    if cursor is None:
        return None
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise ForeignCursor from None
    if position is None:
        raise ForeignCursor
    return position


Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=100)]
Total = Annotated[
    int | None,
    Field(
        description="How many there are on all pages, beside the first page; null beside others. 10,000 stands for "
        "that many and more"
    ),
]
"""Of a list that is counted only as far as somebody would read."""
