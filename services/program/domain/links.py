"""Invitations by link: whoever of the company follows it, by hand or from a poster, is invited.

A link is `open` until its last day is over or it is `withdrawn`; a withdrawn one can be opened again. It makes nobody
an ambassador: who follows it is invited, or puts themselves forward where the link asks for approval.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from chassis.web.problems import Conflict, Invalid
from services.program.domain.programs import Program, check_active, check_languages, today

LinkState = Literal["open", "withdrawn"]
MAX_OPEN_LINKS = 200


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """`title` says where it hangs, for those who run the programme; `headlines` stand on the poster, in each language
    of the programme or none."""

    id: str
    program_id: str
    version: int
    token: str
    title: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    headlines: Mapping[str, str] = field(default_factory=dict)
    ends_on: date | None = None
    """Its last day, in the programme's time zone."""
    approval: bool = False
    state: LinkState = "open"


def new_token() -> str:
    return secrets.token_urlsafe(12)


def new_link(
    id: str,
    program: Program,
    by: str,
    now: datetime,
    *,
    title: str,
    headlines: Mapping[str, str],
    ends_on: date | None,
    approval: bool,
) -> InvitationLink:
    """An open link. Raises Conflict `program-archived`; Invalid: `ends_on` `past`, `language-missing`,
    `language-unknown`."""
    check_active(program)
    if headlines:
        check_languages(headlines, program.languages, "headlines")
    if ends_on is not None and ends_on < today(program, now):
        raise Invalid.one("ends_on", "past", "The link would be over already.")
    return InvitationLink(id, program.id, 1, new_token(), title, by, now, now, dict(headlines), ends_on, approval)


def withdraw_link(before: InvitationLink, now: datetime) -> InvitationLink:
    """The link, which leads nowhere any more; repeating changes nothing."""
    return before if before.state == "withdrawn" else _next(before, now, state="withdrawn")


def reopen_link(before: InvitationLink, program: Program, now: datetime) -> InvitationLink:
    """The link, which invites again; repeating changes nothing. Raises Conflict `program-archived`."""
    check_active(program)
    return before if before.state == "open" else _next(before, now, state="open")


def _next(before: InvitationLink, now: datetime, **values: Any) -> InvitationLink:
    return replace(before, version=before.version + 1, updated_at=now, **values)


def check_leads(link: InvitationLink, program: Program, now: datetime) -> None:
    """Raises Conflict: `link-closed` for one that is withdrawn or over, `program-archived`."""
    check_active(program)
    if link.state != "open" or (link.ends_on is not None and link.ends_on < today(program, now)):
        raise Conflict("This invitation is no longer open.", type_="link-closed")
