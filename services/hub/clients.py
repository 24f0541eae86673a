"""The other services' APIs, called for the person whose request the hub answers.

ApiError
├── ServiceUnavailable       the service does not answer, or answers with a failure of its own
├── Refusal    it answered with a problem: status, stable type, detail, violations
├── CutOff     the person left the company or was deactivated
└── SignedOut  it takes the person's token no more
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import orjson
from httpx_sse import EventSource, ServerSentEvent, SSEError

from chassis.web.problems import Violation
from chassis.web.read_after_write import AFTER, EVENTS
from services.hub.paths import ApiPath

log = logging.getLogger(__name__)
Json = dict[str, Any]
Note = Callable[[list[str]], Awaitable[None]]
_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
SILENCE_SECONDS = 30.0
"""Twice and more what a service may leave between two events of a stream."""


class ApiError(Exception):
    """Why a call did not do what it should."""

    def __init__(self, service: str, detail: str) -> None:
        super().__init__(f"{service}: {detail}")
        self.service = service
        self.detail = detail


class ServiceUnavailable(ApiError):
    """The service is not there, too slow, or failing; or (`busy`) it takes no more from this person for a while."""

    busy = False


class SignedOut(ApiError):
    """The token was refused."""


class CutOff(ApiError):
    """The person has no access any more, whatever tokens they hold."""


class Refusal(ApiError):
    """The service said no, and why."""

    def __init__(self, service: str, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(service, str(document.get("detail") or document.get("title") or status))
        self.status = status
        self.type = str(document.get("type", "")).rpartition("/")[2]
        self.errors: list[Json] = list(document.get("errors") or ())
        self.document = dict(document)


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON, and the version that its ETag names."""

    status: int
    data: Any
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a call is made: their token, and their browser as it reached us."""

    token: str
    address: str = ""
    agent: str = ""

    @property
    def headers(self) -> dict[str, str]:
        found = {"X-Forwarded-For": self.address, "X-Forwarded-User-Agent": header_text(self.agent)}
        return {"Authorization": f"Bearer {self.token}", **{name: value for name, value in found.items() if value}}


@dataclass
class Apis:
    """All services' APIs for one caller.

    What is asked waits for the events `after`; `note` is told of those that an answer names.
    """

    http: httpx.AsyncClient
    urls: Mapping[str, str]
    caller: Caller
    after: tuple[str, ...] = ()
    note: Note | None = None

    async def get(self, service: str, path: ApiPath, /, **params: Any) -> Any:
        """The JSON at `path`; parameters that are None or empty are left out."""
        return (await self.call(service, "GET", path, params=params)).data

    async def call(
        self,
        service: str,
        method: str,
        path: ApiPath,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        version: int | None = None,
        key: str | None = None,
        media_type: str = "application/json",
    ) -> Answer:
        """One call. Raises ServiceUnavailable, Refusal or SignedOut; what no HTTP message can carry is refused here.

        `version` goes out as If-Match, `key` as Idempotency-Key; a `bytes` body goes as it is, under `media_type`.
        """
        headers = self._headers()
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if key is not None:
            if not _KEY.fullmatch(key):
                raise not_sent(service, 422, "Idempotency-Key", "format", "Printable ASCII characters are needed.")
            headers["Idempotency-Key"] = key
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = media_type
        try:
            response = await self.http.request(
                method,
                self.urls[service] + path,
                params={name: value for name, value in (params or {}).items() if value not in (None, "")},
                content=content,
                headers=headers,
            )
        except httpx.InvalidURL as error:
            raise not_sent(service, 414, "query", "query", "The address of this request is too long.") from error
        except httpx.HTTPError as error:
            log.warning("%s does not answer: %s", service, type(error).__name__)
            raise ServiceUnavailable(service, type(error).__name__) from error
        if self.note is not None and (events := response.headers.get(EVENTS)):
            await self.note([one.strip() for one in events.split(",")])
        return read(service, response)

    async def download(self, service: str, path: ApiPath, /, **params: Any) -> AsyncIterator[bytes]:
        """The file at `path`, piece by piece. Raises ServiceUnavailable, Refusal or SignedOut."""
        request = self.http.build_request(
            "GET",
            self.urls[service] + path,
            params={name: value for name, value in params.items() if value not in (None, "")},
            headers=self._headers(),
        )
        try:
            response = await self.http.send(request, stream=True)
            if response.status_code != 200:
                await response.aread()
                read(service, response)
        except httpx.HTTPError as error:
            raise ServiceUnavailable(service, type(error).__name__) from error

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in response.aiter_bytes():
                    yield piece
            finally:
                await response.aclose()

        return pieces()

    async def file(self, service: str, path: ApiPath, /, **params: Any) -> tuple[str, bytes]:
        """The whole of a small file at `path`: its media type, its bytes. Raises ServiceUnavailable, Refusal or
        SignedOut."""
        try:
            response = await self.http.get(self.urls[service] + path, params=params, headers=self._headers())
        except httpx.HTTPError as error:
            raise ServiceUnavailable(service, type(error).__name__) from error
        if response.status_code != 200:
            read(service, response)
            raise ServiceUnavailable(service, str(response.status_code))
        return response.headers.get("content-type", "application/octet-stream"), response.content

    def _headers(self) -> dict[str, str]:
        after = {AFTER: ", ".join(self.after)} if self.after else {}
        return {**self.caller.headers, **after}

    @asynccontextmanager
    async def stream(self, service: str, path: ApiPath, **params: Any) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        """The server-sent events at `path`.

        Raises Refusal or SignedOut; ServiceUnavailable, too where nothing comes for 30 s.
        """
        headers = {**self._headers(), "Accept": "text/event-stream"}
        timeout = httpx.Timeout(10, read=SILENCE_SECONDS)
        url = self.urls[service] + path
        try:
            async with self.http.stream("GET", url, params=params, headers=headers, timeout=timeout) as response:
                if response.status_code != 200:
                    await response.aread()
                    read(service, response)
                yield EventSource(response).aiter_sse()
        except (httpx.HTTPError, SSEError) as error:
            raise ServiceUnavailable(service, type(error).__name__) from error


def header_text(text: str) -> str:
    """The text as a header can hold it: printable ASCII, the rest left out."""
    return "".join(sign for sign in text if " " <= sign <= "~").strip()


def not_sent(service: str, status: int, field: str, rule: str, detail: str) -> Refusal:
    """The refusal of a call that cannot be made."""
    errors = [{"field": field, "rule": rule, "detail": detail}]
    return Refusal(service, status, {"type": "invalid", "detail": detail, "errors": errors})


def invalid(*broken: Violation) -> Refusal:
    """The refusal of a form that the hub itself cannot read."""
    errors = [asdict(one) for one in broken]
    return Refusal("hub", 422, {"type": "invalid", "detail": "A field breaks a rule.", "errors": errors})


def read(service: str, response: httpx.Response) -> Answer:
    """A response as an answer, or as the error that it is."""
    try:
        data = orjson.loads(response.content) if response.content else None
    except ValueError:
        data = None
    if response.is_success:
        tag = response.headers.get("etag", "").strip('W/"')
        return Answer(response.status_code, data, int(tag) if tag.isdigit() else None)
    if response.status_code == 401:
        raise SignedOut(service, "token refused")
    if response.status_code >= 500 or response.status_code == 429 or not isinstance(data, dict):
        log.warning("%s answered %s", service, response.status_code)
        failure = ServiceUnavailable(service, str(response.status_code))
        failure.busy = response.status_code == 429
        raise failure
    refusal = Refusal(service, response.status_code, data)
    if refusal.status == 403 and refusal.type == "inactive":
        raise CutOff(service, refusal.detail)
    raise refusal
