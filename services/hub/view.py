"""One request of one person: who they are, how they read, the APIs on their behalf, and how to answer them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from chassis.web.problems import Violation
from services.hub.clients import ApiError, Apis, Json, Refusal, ServiceUnavailable, invalid
from services.hub.context import Context
from services.hub.forms.filling import Place, with_stored
from services.hub.history.formats import LineError
from services.hub.language import Language, as_moment, known_zone
from services.hub.paths import OF_A_MOMENT, NoSuchPath, v1
from services.hub.person import Person, Program
from services.hub.refusals import field_label, refusal_place, refusal_sentence, refusal_summary
from services.hub.sessions import Session
from services.hub.spoken import with_languages
from services.hub.times import NoSuchTime, moment_of

_IN_ADDRESSES = ":/%#?=@[]!$&'()*+,;~"
FORM_HEADER = "herald-form"
"""In requests of the script that sends forms."""
_PASSING = OF_A_MOMENT | {"cursor"}
"""What an address says of what was just done, or of one page of a list."""
_WHOLE = re.compile(r"[0-9]{1,9}")
MAX_FIELDS = 5000
"""Fields of one form: an invitation has one for each of many groups."""
LONG = 16 * 1024
"""Bytes of a form from which on it is decoded in a thread."""


class BadForm(Exception):
    """A form that no page of ours sends: it cannot be read, or a field that nobody types is not what it was."""


class NoProgram(Exception):
    """What was asked for belongs to a programme, and there is none yet."""


@dataclass(frozen=True, slots=True)
class Missing:
    """In place of a figure or list that could not be had, or that a stored id leads nowhere for."""

    error: ApiError | NoSuchPath

    @property
    def down(self) -> bool:
        return isinstance(self.error, ServiceUnavailable)


def is_missing(value: object) -> bool:
    """A test for templates: `{% if points is missing %}`."""
    return isinstance(value, Missing)


class Page(HTMLResponse):
    """A page that is made in a thread when it is sent: a long one holds up nobody else."""

    def __init__(self, make: Callable[[], str], status: int, *, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, headers={**headers, "content-length": "0"})
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.body = await asyncio.to_thread(lambda: self._make().encode())
        self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


async def read_form(request: Request) -> FormData:
    """The fields of a form; those of a long one are decoded in a thread. Raises HTTPException, MultiPartException,
    FormParserError, UnicodeError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded" or len(await request.body()) < LONG:
        return _whole(await request.form(max_fields=MAX_FIELDS))
    body = await request.body()

    async def parts() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = FormParser(request.headers, parts(), max_fields=MAX_FIELDS)
    return await asyncio.to_thread(lambda: _whole(asyncio.run(parser.parse())))


def _whole(form: FormData) -> FormData:
    """The form, whose texts can be written as UTF-8. Raises UnicodeError."""
    for name, value in form.multi_items():
        f"{name}{value if isinstance(value, str) else value.filename}".encode()
    return form


@dataclass
class View:
    """What a page is made with."""

    request: Request
    context: Context
    language: Language
    session: Session | None = None
    person: Person | None = None
    apis: Apis = field(kw_only=True)
    fields: dict[str, Place] = field(default_factory=dict)
    """Where in the form is what an API calls by another name, by the beginning of its path."""
    shown_at: str | None = None
    """The page that the form is on by now, where a part of what was asked for is done: its item is there."""
    done_before: str = ""
    """What of a form was done although the rest was refused."""
    form_page: Callable[[], Awaitable[str]] | None = None
    """Makes the page that the form is on, where its address does not say all that it shows."""
    about: str = ""
    """What is refused where it is (`feed`, `csv`): rules have sentences of their own there."""
    _form: FormData | None = field(default=None, init=False)

    @property
    def now(self) -> datetime:
        return self.context.clock.now()

    @property
    def me(self) -> Person:
        """The person who is signed in; routes that use it ask for one."""
        if self.person is None:
            raise RuntimeError("this page is for people who are signed in")
        return self.person

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a piece of the page, rather than a browser for all of it."""
        headers = self.request.headers
        return "hx-request" in headers and not ("hx-boosted" in headers or "hx-history-restore-request" in headers)

    @property
    def by_script(self) -> bool:
        """Whether a script sent the form: it follows no redirect, but goes where an answer says."""
        return self.is_fragment or FORM_HEADER in self.request.headers

    @cached_property
    def csrf(self) -> str:
        """The session's token, masked anew in each page so that compression gives nothing of it away."""
        return mask(self.session.csrf) if self.session else ""

    @property
    def program(self) -> Program | None:
        """The programme that the person looks at: the one they chose, or else the first of theirs."""
        if self.person is None:
            return None
        wanted = self.session.choices.get("program_id") if self.session else None
        return self.person.choose_program(wanted)

    @property
    def joined_program(self) -> str | None:
        """The id of the programme that they look at, if they take part in it; else what they see is of all theirs."""
        return self.program.id if self.program is not None and self.program.joined else None

    @property
    def programs(self) -> list[Program]:
        """The programmes that the person may look at: those that run, and the one that they do look at."""
        found = self.person.visible_programs if self.person is not None else []
        return [one for one in found if not one.archived or one == self.program]

    @property
    def archived_programs(self) -> list[Program]:
        """Those of the person's programmes that are over."""
        return [one for one in self.person.visible_programs if one.archived] if self.person is not None else []

    def require_program(self) -> Program:
        """The programme that the person looks at. Raises NoProgram."""
        if self.program is None:
            raise NoProgram
        return self.program

    async def choose(self, program_id: str) -> None:
        """Look at a programme from now on."""
        assert self.session is not None
        await self.context.sessions.put(self.session, "choices", {**self.session.choices, "program_id": program_id})

    @property
    def here(self) -> str:
        """The path of this page, as an address has it."""
        return quote(self.request.scope["path"])

    @property
    def requested(self) -> str:
        """The path and query that were asked for, as an address has them."""
        query = self.request.url.query
        return f"{self.here}?{query}" if query else self.here

    @property
    def shown(self) -> int:
        """How many entries of a list were shown before (`paging`)."""
        text = self.request.query_params.get("shown", "")
        return int(text) if _WHOLE.fullmatch(text) else 0

    def back_to(self, path: str) -> str:
        """The list at this path as the person left it a moment ago; from its start where they come from elsewhere."""
        came, own = urlsplit(self.request.headers.get("referer", "")), urlsplit(self.context.settings.public_url)
        if (came.scheme, came.netloc, came.path) != (own.scheme, own.netloc, path):
            return path
        kept = [(name, value) for name, value in parse_qsl(came.query) if name not in _PASSING]
        return f"{path}?{urlencode(kept)}" if kept else path

    @property
    def one_time(self) -> str:
        """A new key of a form, by which what is sent twice is done once."""
        return secrets.token_urlsafe(16)

    @property
    def address(self) -> str:
        """The page that is being shown, as the forms on it name it; of the answer to a form, the page it was on."""
        if self.request.method == "POST":
            return self.shown_at or (str(self._form.get("page", "")) if self._form else "")
        return self.requested

    @property
    def page_headers(self) -> dict[str, str]:
        """Of each page: never kept by a cache between us and the browser."""
        headers = {"Cache-Control": "no-store", "Vary": "HX-Request, Accept-Language"}
        if self.session is not None and self.session.tokens is not None:
            headers["Herald-Session"] = self.session.tag
        return headers

    # --- answering ---

    def render(self, template: str, /, **context: Any) -> str:
        """A template as this person reads it."""
        html = self.context.templates.get_template(template).render(
            view=self,
            t=self.language.page_text,
            w=self.language.page_word,
            lang=self.language,
            me=self.person,
            program=self.program,
            **context,
        )
        return with_languages(html)

    def page(self, template: str, status: int = 200, /, **context: Any) -> Response:
        """A whole page, or a piece of one."""
        return Page(partial(self.render, template, **context), status, headers=self.page_headers)

    def go(self, path: str, toast: str | None = None, **query: str) -> Response:
        """Send the browser to another page of ours, with a message on what was done (`toast.<key>`)."""
        values = {**query, **({"toast": toast} if toast else {})}
        url = quote(f"{path}?{urlencode(values)}" if values else path, safe=_IN_ADDRESSES)
        if self.by_script:
            return Response(status_code=204, headers={"HX-Redirect": url})
        return RedirectResponse(url, 303)

    async def form(self) -> FormData:
        """What was sent, with what is stored where that was chosen. Raises BadForm."""
        if self._form is None:
            try:
                found = await read_form(self.request)
            except (HTTPException, MultiPartException, FormParserError, UnicodeError) as error:
                raise BadForm from error
            self._form = FormData(with_stored(found.multi_items()))
        return self._form

    async def field(self, name: str, default: str = "") -> str:
        """A text field of the form; line ends as the APIs count them."""
        value = (await self.form()).get(name, default)
        return value.replace("\r\n", "\n") if isinstance(value, str) else default

    async def whole(self, name: str) -> int | None:
        """A whole number that the page put into the form, such as a version; None where it is blank. Raises BadForm."""
        text = await self.field(name)
        if text and not _WHOLE.fullmatch(text):
            raise BadForm
        return int(text) if text else None

    async def moment(self, name: str) -> datetime | None:
        """A date and time of the form (`ui.moment`), in UTC; None where it is blank. Raises Refusal, BadForm."""
        text = (await self.field(name)).strip()
        if not text:
            return None
        was = await self.field(f"{name}_was")
        try:
            zone = known_zone(await self.field(f"{name}_zone", self.language.clock))
            return moment_of(text, zone, as_moment(was) if was else None)
        except NoSuchTime as error:
            raise invalid(Violation(name, "no-such-time", "No clock shows it.")) from error
        except ValueError as error:
            raise BadForm from error

    async def key(self, order: Json) -> str | None:
        """The Idempotency-Key of a form that was made with one (`key`): the same sent twice is done once, other words
        are another order."""
        opened = await self.field("key")
        return hashlib.sha256(json.dumps([opened, order], sort_keys=True).encode()).hexdigest() if opened else None

    # --- asking ---

    async def gather(self, **calls: Awaitable[Any]) -> dict[str, Any]:
        """All answers at once; what cannot be had is Missing, and the rest of the page stands."""
        return await self.gather_all(calls)

    async def gather_all(self, calls: Mapping[str, Awaitable[Any]]) -> dict[str, Any]:
        """The same for names that are not ours to choose. Where one of the calls ends the request (the person signed
        out, or was cut off), so do the others."""

        async def one(call: Awaitable[Any]) -> Any:
            try:
                return await call
            except (ServiceUnavailable, Refusal, NoSuchPath) as error:
                return Missing(error)

        running = [asyncio.ensure_future(one(call)) for call in calls.values()]
        try:
            return dict(zip(calls, await asyncio.gather(*running), strict=True))
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def names(self, ids: set[str]) -> Mapping[str, Json]:
        """Name, team and country of people by id; empty where `program` does not answer."""
        found: dict[str, Json] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), 200):
            try:
                answer = await self.apis.call(
                    "program", "POST", v1("people", "names"), {"ids": ordered[start : start + 200]}
                )
            except (ServiceUnavailable, Refusal):
                continue
            found.update(answer.data["names"])
        return found

    def explain(self, refusal: Refusal) -> str:
        """Why a service said no, in the person's language."""
        return refusal_summary(self.language, refusal)

    def sentence(self, error: Mapping[str, Any] | LineError, about: str = "") -> str:
        """What is wrong with a field, or with a line of a file."""
        found = asdict(error) if isinstance(error, LineError) else error
        return refusal_sentence(self.language, found, about)

    def place(self, error: Mapping[str, Any]) -> str:
        """Where that is, in a file or in a form that has no such field."""
        return refusal_place(self.language, error, self.about)

    def label(self, field: str) -> str:
        """What pages call a field of an API; empty for one that none shows."""
        return field_label(self.language, field)


def mask(token: str) -> str:
    """The token, different each time it is shown."""
    plain = token.encode()
    pad = secrets.token_bytes(len(plain))
    return pad.hex() + bytes(a ^ b for a, b in zip(pad, plain, strict=True)).hex()


def unmask(masked: str) -> str:
    """The token that was masked; empty if it never was one."""
    try:
        both = bytes.fromhex(masked)
    except ValueError:
        return ""
    half = len(both) // 2
    if len(both) != half * 2:
        return ""
    return bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=True)).decode("latin-1")
