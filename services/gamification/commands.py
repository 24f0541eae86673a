"""What changes the ledger and the rules; HTTP and Kafka both end here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from chassis.clock import to_milliseconds
from chassis.mongo import Transaction
from chassis.web.http import check_version
from services.gamification import event_mapping
from services.gamification.context import Context
from services.gamification.domain.ledger import book, claims_of
from services.gamification.domain.rules import Programme, Rule, next_rules
from services.gamification.store.programmes import Told

REBUILT_AT_ONCE = 50


async def add_programmes(context: Context, tx: Transaction, time_zones: Mapping[str, str]) -> None:
    """Make programmes known, by id with their time zone, and book what waited for them."""
    for program_id, time_zone in time_zones.items():
        await context.programmes.add(program_id, time_zone, tx)
    waited = await context.programmes.take_waiting(time_zones, tx)
    await book_facts(context, tx, waited)


async def book_facts(context: Context, tx: Transaction, told: Sequence[Told]) -> None:
    """Book what happened, and announce each entry. Facts of a programme that is not known yet wait for it."""
    if not told:
        return
    programmes = await context.programmes.get_many({one.fact.program_id for one in told}, tx)
    early = [one for one in told if one.fact.program_id not in programmes]
    if early:
        await context.programmes.let_wait(early, tx)
    facts = [one.fact for one in told if one.fact.program_id in programmes]
    if not facts:
        return
    claimed = claims_of(facts, programmes)
    entries = book(claimed, await context.ledger.past(claimed, tx))
    await context.ledger.add(entries, tx)
    await context.ledger.note_removals([fact for fact in facts if fact.act == "removal"], tx)
    causes = {one.fact.cause_id: one for one in told}
    for entry in entries:
        tx.emit(event_mapping.points_awarded(entry), cause=causes.get(entry.cause_id))


@dataclass(frozen=True, slots=True)
class RulesOrder:
    """New rules for a programme, from `valid_from` on (None: from now on)."""

    rules: tuple[Rule, ...]
    valid_from: datetime | None
    imported_since: date | None = None


async def change_rules(
    context: Context, tx: Transaction, program_id: str, order: RulesOrder, *, by: str, expected: int | None
) -> Programme:
    """The programme with its next version of rules. `expected` is the version that the caller has seen.

    Raises NotFound, PreconditionRequired, StaleVersion, Invalid.
    """
    programme = await context.programmes.get(program_id, tx)
    check_version(expected, programme.latest.version)
    valid_from = to_milliseconds(order.valid_from) if order.valid_from else None
    rules = next_rules(
        programme,
        order.rules,
        valid_from=valid_from,
        now=tx.now,
        changed_by=by,
        imported_since=order.imported_since,
    )
    await context.programmes.append_rules(program_id, rules, tx)
    return Programme(programme.id, programme.zone, (*programme.rule_sets, rules))


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many ambassadors and entries were added up, and how many sums were wrong."""

    ambassadors: int
    entries: int
    corrected: int


async def rebuild(context: Context, program_id: str) -> Rebuilt:
    """Make all balances the sums of the ledger, some ambassadors a transaction, while booking goes on.

    Leaderboards follow. Raises NotFound.
    """
    await context.programmes.get(program_id)
    everybody = await context.ledger.ambassadors(program_id)
    waiting = iter(everybody)
    entries = corrected = 0
    while some := list(islice(waiting, REBUILT_AT_ONCE)):

        async def work(tx: Transaction, some: list[str] = some) -> tuple[int, int]:
            return await context.ledger.rebuild(program_id, some, tx)

        added_up, wrong = await context.mongo.transact(work)
        entries += added_up
        corrected += wrong
    await context.leaderboard.forget()
    return Rebuilt(len(everybody), entries, corrected)
