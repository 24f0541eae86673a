"""How far a programme is set up: the steps of a good start, each computed from what exists.

A step is a row of `STEPS`: how much of it there is, and how much a good start has. Whoever builds a further one adds a
row, and its words and its page in the hub (`services/hub/pages/setup.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from services.program.context import Context
from services.program.domain.people import Segment
from services.program.domain.programs import Program

Count = Callable[[Context, Program], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Step:
    """A step; it is done where there is as much of it as a good start has."""

    key: str
    have: int
    need: int

    @property
    def done(self) -> bool:
        return self.have >= self.need


async def _objectives(context: Context, program: Program) -> int:
    return await context.objectives.count_open(program.id)


async def _leaders(context: Context, program: Program) -> int:
    return await context.segments.count_ambassadors(program.id, Segment(leaders_only=True))


async def _volunteers(context: Context, program: Program) -> int:
    return await context.segments.count_ambassadors(program.id, Segment())


async def _guidelines(_: Context, program: Program) -> int:
    return program.guidelines_version


async def _lessons(context: Context, program: Program) -> int:
    return await context.lessons.count(program.id, state="published")


async def _surveys(context: Context, program: Program) -> int:
    return await context.surveys.count_asked(program.id)


async def _waves(context: Context, program: Program) -> int:
    return len(await context.waves.of_program(program.id))


async def _newsletters(context: Context, program: Program) -> int:
    return await context.newsletters.count_scheduled(program.id)


STEPS: Final[tuple[tuple[str, int, Count], ...]] = (
    ("objectives", 1, _objectives),
    ("leaders", 1, _leaders),
    ("volunteers", 10, _volunteers),
    ("guidelines", 1, _guidelines),
    ("learning", 3, _lessons),
    ("feedback", 1, _surveys),
    ("pilot", 1, _waves),
    ("newsletter", 1, _newsletters),
)
"""Key of a step, how much of it a good start has, and how much there is."""


async def steps(context: Context, program_id: str) -> list[Step]:
    """The steps in their order. Raises NotFound."""
    program = await context.programs.get(program_id)
    counts = await asyncio.gather(*(count(context, program) for _, _, count in STEPS))
    return [Step(key, have, need) for (key, need, _), have in zip(STEPS, counts, strict=True)]
