"""What changes the ledger and the rules; HTTP and Kafka both end here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from chassis import audit
from chassis.clock import to_milliseconds
from chassis.ids import dated_id, new_id
from chassis.mongo import Transaction
from chassis.tasks import yielding
from chassis.web.http import Expected, check_version
from chassis.web.problems import Refused
from services.gamification import event_mapping
from services.gamification.audit import REBUILD, RULES
from services.gamification.context import Context
from services.gamification.domain.ledger import SourcedFact, book, claims_of
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.domain.rules import Program, Rule, next_rules

REBUILT_AT_ONCE = 50
WAITING_AT_ONCE = 500
MAX_VERSIONS = 500
MAX_RULES_KEPT = 3000
"""In all versions, which every booking reads."""


async def book_facts(context: Context, tx: Transaction, facts: Sequence[SourcedFact]) -> None:
    """Book what happened, and announce each entry. Facts of a programme that is not known yet wait for it."""
    if not facts:
        return
    programs = await context.programs.get_many({one.fact.program_id for one in facts}, tx)
    early = [one for one in facts if one.fact.program_id not in programs]
    if early:
        await context.programs.keep_waiting(early, tx)
    known = [one.fact for one in facts if one.fact.program_id in programs]
    if not known:
        return
    claimed = [one async for one in yielding(claims_of(known, programs))]
    state = await context.ledger.state_for(claimed, tx)
    entries = [one async for one in yielding(book(claimed, state))]
    await context.ledger.add(entries, tx)
    await context.ledger.note_removals([fact for fact in known if fact.act == "removal"], tx)
    causes = {one.fact.cause_id: one for one in facts}
    async for entry in yielding(entries):
        # Named by the entry: booked again after a restore, it is the same event.
        id = dated_id(entry.occurred_at, "PointsAwarded", entry.id)
        tx.emit(event_mapping.points_awarded(entry), cause=causes.get(entry.cause_id), id=id)


async def book_waiting(context: Context, tx: Transaction, program_id: str) -> bool:
    """Book some of the facts that waited for a programme; whether there were any."""
    waited = await context.programs.take_waiting(program_id, tx, limit=WAITING_AT_ONCE)
    await book_facts(context, tx, waited)
    return bool(waited)


@dataclass(frozen=True, slots=True)
class RulesOrder:
    """New rules for a programme, from `valid_from` on (None: from now on)."""

    rules: tuple[Rule, ...]
    valid_from: datetime | None
    imported_since: date | None = None


async def change_rules(
    context: Context, tx: Transaction, program_id: str, order: RulesOrder, *, by: str, expected: Expected | None
) -> Program:
    """The programme with its next version of rules. `expected` is the version that the caller has seen.

    Raises NotFound, PreconditionRequired, StaleVersion, Invalid, Refused `too-many-versions`.
    """
    program = await context.programs.get(program_id, tx)
    check_version(expected, program.latest.version)
    if program.latest.version >= MAX_VERSIONS:
        raise Refused(f"Rules can be changed {MAX_VERSIONS} times.", type_="too-many-versions")
    if sum(len(one.rules) for one in program.rule_sets) + len(order.rules) > MAX_RULES_KEPT:
        raise Refused(f"All versions together have at most {MAX_RULES_KEPT} rules.", type_="too-many-versions")
    valid_from = to_milliseconds(order.valid_from) if order.valid_from else None
    rules = next_rules(
        program,
        order.rules,
        valid_from=valid_from,
        now=tx.now,
        changed_by=by,
        imported_since=order.imported_since,
    )
    await context.programs.append_rules(program_id, rules, tx)
    audit.record(tx, "change_rules", RULES, program_id, before=program.latest, after=rules, program_id=program_id)
    return Program(program.id, program.zone, (*program.rule_sets, rules))


async def request_rebuild(context: Context, tx: Transaction, program_id: str, *, by: str) -> Rebuild:
    """Have all balances made the sums of the ledger, by a job; one that is open already is not begun twice.

    Raises NotFound.
    """
    await context.programs.get(program_id, tx)
    if (found := await context.rebuilds.find_open(program_id, tx)) is not None:
        audit.nothing_done(tx)
        return found
    rebuild = Rebuild(new_id(), program_id, "queued", by, tx.now)
    await context.rebuilds.put(rebuild, tx)
    audit.record(tx, "request_rebuild", REBUILD, rebuild.id, after=rebuild, program_id=program_id)
    return rebuild


async def begin_rebuild(context: Context, tx: Transaction, rebuild: Rebuild, *, expected: int) -> Rebuild:
    """It runs from now on."""
    running = replace(rebuild, state="running", expected=expected)
    await context.rebuilds.put(running, tx)
    return running


async def rebuild_some(context: Context, tx: Transaction, rebuild: Rebuild) -> Rebuild:
    """Add up the entries of some ambassadors, while booking goes on; `whole` once nobody is left."""
    ledger, program_id = context.ledger, rebuild.program_id
    if rebuild.phase == "ledger":
        some = await ledger.ambassadors_after(program_id, rebuild.position, tx, limit=REBUILT_AT_ONCE)
        wanted = some
    else:
        some = await ledger.with_balance_after(program_id, rebuild.position, tx, limit=REBUILT_AT_ONCE)
        wanted = await ledger.without_entries(program_id, some, tx)
    if some:
        entries, corrected = await ledger.rebuild(program_id, wanted, tx) if wanted else (0, 0)
        moved = replace(
            rebuild,
            position=some[-1],
            ambassadors=rebuild.ambassadors + len(wanted),
            entries=rebuild.entries + entries,
            corrected=rebuild.corrected + corrected,
        )
    elif rebuild.phase == "ledger":
        moved = replace(rebuild, phase="balances", position="")
    else:
        moved = replace(rebuild, state="whole")
    await context.rebuilds.put(moved, tx)
    return moved


async def finish_rebuild(context: Context, tx: Transaction, rebuild: Rebuild) -> Rebuild:
    """Leaderboards are made of what was added up from now on."""
    done = replace(rebuild, state="done", finished_at=tx.now)
    await context.rebuilds.put(done, tx)
    return done
