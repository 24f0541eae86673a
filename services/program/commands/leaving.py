"""What goes with a membership that ends, whoever ended it."""

from __future__ import annotations

from chassis.mongo import Transaction
from herald_contracts.words import CohortLeaveReason
from services.program.commands import deputies, waves
from services.program.context import Context


async def let_go(context: Context, tx: Transaction, person_id: str, program_id: str, reason: CohortLeaveReason) -> None:
    """Note in their cohort that somebody is an ambassador no more, forget to which events they meant to come and which
    posts they offered as examples, and end that they prepare for leaders or have deputies. What they did stays; what
    they were at, too."""
    await waves.leave_cohort(context, tx, person_id, program_id, reason)
    await context.company_events.forget_replies(program_id, person_id, tx)
    await context.examples.forget(person_id, program_id, tx)
    await deputies.end_of(context, tx, person_id, program_id)
