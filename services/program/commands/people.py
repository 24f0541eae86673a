"""Signing in, what people choose for themselves, and what administrators do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Actor, Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, Violation
from chassis.web.tokens import Token
from services.program import event_mapping
from services.program.audit import PERSON
from services.program.commands import merging, waves
from services.program.commands.leaving import let_go
from services.program.context import Context
from services.program.domain import people
from services.program.domain.people import Person, ProgramGrant


async def sign_in(context: Context, tx: Transaction, token: Token, locale: str | None) -> Person:
    """The person of a token: known by account; else by verified e-mail address, while nobody signed in as the one who
    has it; else new.

    A second account with an address is a new person, without it, until an administrator merges the two: the address
    may have been given to somebody else. An address or account of `program_admins` is made administrator when the
    account is first seen. Raises Forbidden `inactive`.
    """
    values: dict[str, Any] = {"locale": locale, "locale_chosen": True} if locale else {}
    known = await context.people.find_by_account(token.account, tx)
    if known is not None:
        people.check_active(known)
        return await _save(context, tx, known, people.change(known, tx.now, **values))
    email = people.verified_email(token.claims)
    holder = await context.people.find_by_email(email, tx) if email else None
    theirs = people.takes_address(holder)
    first_admin = bool({email if theirs else None, token.account} & set(context.settings.program_admins))
    if first_admin:
        values["grants"] = people.in_order((*(holder.grants if holder and theirs else ()), "admin"))
    if holder is not None and theirs:
        linked = await _save(context, tx, holder, people.link(holder, token.account, tx.now, **values))
        return _first_admin(tx, token, holder, linked) if first_admin else linked
    if holder is not None:
        values |= {"email": None, "same_address_as": holder.id}
    values = {"locale": context.settings.program_locale, **values}
    found = people.from_claims(token.claims, id=new_id(), account=token.account, now=tx.now, **values)
    person = replace(found, team=await _known_spelling(context, found.team))
    await context.people.write(tx, created=[person])
    tx.emit(event_mapping.person_provisioned(person, "sign_in"))
    return _first_admin(tx, token, None, person) if first_admin else person


def _first_admin(tx: Transaction, token: Token, before: Person | None, after: Person) -> Person:
    tx.actor = Actor(after.id, token.session)
    audit.record(tx, "become_first_admin", PERSON, after.id, before=before, after=after)
    return after


async def choose(context: Context, tx: Transaction, person_id: str, **choices: str | bool | None) -> Person:
    """What people decide for themselves: `locale`, `hidden_from_rankings`, `hidden_from_statistics`, `weekly_tip`,
    `time_zone` and `holidays`. None leaves a choice as it is, an empty text takes it back."""
    before = await context.people.get(person_id, tx)
    made = {name: choice if choice != "" else None for name, choice in choices.items() if choice is not None}
    if "locale" in made:
        made["locale_chosen"] = True
    return await _save(context, tx, before, people.change(before, tx.now, **made))


async def update_person(
    context: Context,
    tx: Transaction,
    person_id: str,
    version: Expected | None,
    *,
    by: str,
    roles: Sequence[str] | None = None,
    program_roles: Sequence[ProgramGrant] | None = None,
    **values: str | bool | None,
) -> Person:
    """An administrator changes `roles`, `program_roles`, `leader`, `team` or `country`; None leaves one as it is.

    Raises PreconditionRequired, StaleVersion, Refused, Invalid `unknown` for a programme that is not there.
    """
    before = await context.people.get(person_id, tx)
    check_version(version, before.version)
    changes: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if "team" in changes:
        changes["team"] = await _known_spelling(context, changes["team"])
    if roles is not None:
        changes["grants"] = people.granted(before, roles, by=by)
    if program_roles is not None:
        changes["program_grants"] = await _in_programs(context, tx, program_roles)
    after = await _save(context, tx, before, people.change(before, tx.now, **changes))
    audit.record(tx, "update_person", PERSON, person_id, before=before, after=after)
    return after


async def deactivate(context: Context, tx: Transaction, person_id: str, *, by: str) -> Person:
    """Deactivate a person everywhere; repeating changes nothing. Raises Refused `own-account`."""
    before = await context.people.get(person_id, tx)
    after, left = people.deactivate(before, by=by, now=tx.now)
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        for program_id in left:
            tx.emit(event_mapping.ambassador_left(after, program_id, "deactivated", tx.now))
            await let_go(context, tx, person_id, program_id, "deactivated")
        tx.emit(event_mapping.person_deactivated(after))
    audit.record(tx, "deactivate_person", PERSON, person_id, before=before, after=after)
    return after


async def reactivate(context: Context, tx: Transaction, person_id: str) -> Person:
    """A person is back, and soon after they were deactivated an ambassador again where they were one; repeating changes
    nothing. Raises Conflict `merged`."""
    before = await context.people.get(person_id, tx)
    after, again = people.reactivate(before, tx.now)
    await _save(context, tx, before, after)
    for program_id in again:
        tx.emit(event_mapping.ambassador_joined(after, program_id, tx.now))
        await waves.enter_on_joining(context, tx, after, program_id)
        if after.in_program(program_id).paused_since is not None:
            tx.emit(event_mapping.ambassador_paused(after, program_id, tx.now))
    audit.record(tx, "reactivate_person", PERSON, person_id, before=before, after=after)
    return after


async def merge(
    context: Context, tx: Transaction, person_id: str, other_id: str, version: Expected | None, *, by: str
) -> Person:
    """Two persons are one: who signed in as the other is this one from now on, and has what the other had
    (`merging`); repeating changes nothing.

    Raises NotFound, PreconditionRequired, StaleVersion, Refused, Conflict.
    """
    person = await context.people.get(person_id, tx)
    other = await context.people.get(other_id, tx)
    merged, gone, left = people.merge(person, other, by=by, now=tx.now)
    if gone is other:
        audit.nothing_done(tx)
        return person
    check_version(version, person.version)
    # The other one first: an address and an account are one person's at any moment.
    await context.people.write(tx, changed=[(other, gone), *([(person, merged)] if merged is not person else [])])
    for program_id in left:
        tx.emit(event_mapping.ambassador_left(gone, program_id, "deactivated", tx.now))
        if program_id in merged.joined:  # what they have there is the other's from now on
            await waves.leave_cohort(context, tx, other_id, program_id, "deactivated")
        else:
            await let_go(context, tx, other_id, program_id, "deactivated")
    await merging.move(context, tx, other_id, person_id)
    tx.emit(event_mapping.person_updated(gone))
    tx.emit(event_mapping.person_deactivated(gone))
    if merged is not person:
        tx.emit(event_mapping.person_updated(merged))
    before, after = (person, merged) if merged is not person else (None, None)
    audit.record(tx, "merge_person", PERSON, person_id, before=before, after=after, facts={"other_id": other_id})
    return merged


async def export_people(tx: Transaction) -> None:
    """Everybody is about to be given out as a file."""
    audit.record(tx, "export_people", "people", audit.ALL)


async def _known_spelling(context: Context, team: str) -> str:
    return (await context.teams.settle([team]))[team]


async def _in_programs(context: Context, tx: Transaction, grants: Sequence[ProgramGrant]) -> tuple[ProgramGrant, ...]:
    known = await context.programs.get_many({one.program_id for one in grants}, tx)
    wrong = [
        Violation(f"program_roles.{number}.program_id", "unknown", "There is no such programme.")
        for number, one in enumerate(grants)
        if one.program_id not in known
    ]
    if wrong:
        raise Invalid("See `errors` for each programme that is not there.", errors=wrong)
    return tuple(sorted(set(grants)))


async def _save(context: Context, tx: Transaction, before: Person, after: Person) -> Person:
    """Write a change of a person's own attributes and emit it; nothing if there is none."""
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        tx.emit(event_mapping.person_updated(after))
    return after
