"""A programme's waves, with how many are in their cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.program.context import Context
from services.program.domain import waves
from services.program.domain.programs import today
from services.program.domain.waves import Wave, WaveState


@dataclass(frozen=True, slots=True)
class Standing:
    """A wave as it stands today: how many entered its cohort, how many of these are ambassadors no more; of a planned
    one, how many would enter."""

    wave: Wave
    state: WaveState
    members: int = 0
    left: int = 0
    matching: int | None = None


async def of_program(context: Context, program_id: str) -> list[Standing]:
    """All of them, the first one first. Raises NotFound."""
    return await _standing(context, program_id, await context.waves.of_program(program_id))


async def one(context: Context, program_id: str, wave_id: str) -> Standing:
    """Raises NotFound."""
    wave = await context.waves.get(program_id, wave_id)
    matching = await context.segments.count_for_cohort(wave) if wave.state == "planned" else None
    [found] = await _standing(context, program_id, [wave], matching)
    return found


async def _standing(
    context: Context, program_id: str, found: Sequence[Wave], matching: int | None = None
) -> list[Standing]:
    program = await context.programs.get(program_id)
    day = today(program, context.clock.now())
    counts = await context.waves.count_members([one.id for one in found if one.state != "planned"])
    return [Standing(one, waves.state_on(one, day), *counts.get(one.id, (0, 0)), matching=matching) for one in found]
