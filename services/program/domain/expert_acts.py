"""What an ambassador does as an expert: a talk, an article, a podcast, each with a link to see it by.

It is `declared` by its ambassador, and then `confirmed` or `refused` by a manager, who may take that back; its
ambassador may withdraw it. After a time it is `expired`: undecided, it never counted; confirmed, it no longer stands
for what its ambassador knows, and what it earned stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from ipaddress import ip_address
from typing import Final, Literal

from chassis.web.problems import Conflict, Invalid
from chassis.web_address import parse

ExpertActState = Literal["declared", "confirmed", "refused", "withdrawn", "expired"]
KINDS: Final = ("talk", "article", "podcast")
MAX_OPEN: Final = 20
"""Declarations of one ambassador that wait for a manager."""
MAX_AGE: Final = timedelta(days=365)
"""Of what can still be declared."""
NOT_PUBLIC: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "invalid")
"""Last labels of names that no public network knows."""


@dataclass(frozen=True, slots=True)
class ExpertAct:
    """What somebody did as an expert. `act_id` names it in events once it was confirmed; `reason` is what a manager
    says to a refusal; at `expires_at` it expires."""

    id: str
    program_id: str
    person_id: str
    version: int
    act: str
    title: str
    link: str
    happened_on: date
    declared_at: datetime
    updated_at: datetime
    expires_at: datetime
    state: ExpertActState = "declared"
    act_id: str | None = None
    decided_by: str | None = None
    reason: str = ""

    @property
    def live(self) -> bool:
        """Whether it counts, or waits to."""
        return self.state in ("declared", "confirmed")


def declare(
    id: str,
    program_id: str,
    person_id: str,
    *,
    act: str,
    title: str,
    link: str,
    happened_on: date,
    today: date,
    now: datetime,
    wait: timedelta,
) -> ExpertAct:
    """A declaration, which waits so long for a manager. Raises Invalid: `link` `not-public`, `happened_on` `future` or
    `too-long-ago`."""
    check_public(link)
    if happened_on > today:
        raise Invalid.one("happened_on", "future", "It has not happened yet.")
    if happened_on < today - MAX_AGE:
        raise Invalid.one("happened_on", "too-long-ago", "What happened in the last year can be declared.")
    return ExpertAct(id, program_id, person_id, 1, act, title, link, happened_on, now, now, now + wait)


def check_public(link: str) -> None:
    """Raises Invalid `not-public` for an address that only some network knows."""
    if not _is_public(parse(link).host):
        raise Invalid.one("link", "not-public", "The link leads to no place that everybody can reach.")


def _is_public(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_global
    except ValueError:
        labels = host.removesuffix(".").lower().split(".")
        return len(labels) > 1 and labels[-1] not in NOT_PUBLIC


def confirm(before: ExpertAct, *, by: str, act_id: str, stands: timedelta, now: datetime) -> ExpertAct:
    """It counts, under the name `act_id`, and stands for so long; repeating changes nothing. Raises Conflict
    `expert-act-not-declared`."""
    if before.state == "confirmed":
        return before
    _check_declared(before)
    return _next(before, now, state="confirmed", decided_by=by, act_id=act_id, expires_at=now + stands)


def refuse(before: ExpertAct, *, by: str, reason: str, now: datetime) -> ExpertAct:
    """It does not count; repeating changes nothing. Raises Conflict `expert-act-not-declared`."""
    if before.state == "refused":
        return before
    _check_declared(before)
    return _next(before, now, state="refused", decided_by=by, reason=reason)


def reopen(before: ExpertAct, *, wait: timedelta, now: datetime) -> ExpertAct:
    """What was decided is taken back: it waits once more; repeating changes nothing. Raises Conflict
    `expert-act-not-decided`."""
    if before.state == "declared":
        return before
    if before.state not in ("confirmed", "refused"):
        raise Conflict("Nothing was decided on this.", type_="expert-act-not-decided")
    return _next(before, now, state="declared", decided_by=None, act_id=None, reason="", expires_at=now + wait)


def withdraw(before: ExpertAct, now: datetime) -> ExpertAct:
    """Its ambassador takes it back, for good; repeating changes nothing. Raises Conflict `expert-act-over` for what was
    refused or has expired."""
    if before.state == "withdrawn":
        return before
    if not before.live:
        raise Conflict("This was refused, or has expired.", type_="expert-act-over")
    return _next(before, now, state="withdrawn")


def expire(before: ExpertAct, now: datetime) -> ExpertAct:
    """It is over where its time is; else the same object."""
    return _next(before, now, state="expired") if before.live and before.expires_at <= now else before


def _check_declared(act: ExpertAct) -> None:
    if act.state != "declared":
        raise Conflict("This does not wait for a decision.", type_="expert-act-not-declared")


def _next(before: ExpertAct, now: datetime, **values: object) -> ExpertAct:
    return replace(before, version=before.version + 1, updated_at=now, **values)  # type: ignore[arg-type]
