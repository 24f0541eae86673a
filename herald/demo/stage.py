"""What all acts of the demo stand on: the API, the company, what was done so far."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from herald.demo.api import Api
from herald.demo.company import Person, make_company
from herald.demo.tally import Tally
from herald.demo.visitors import Visitor
from herald.development.personas import PERSONAS, Persona

T = TypeVar("T")
ZONE = "Europe/Paris"
ADMIN, EDITOR, MANAGER = "ines@herald.example", "emma@herald.example", "marc@herald.example"
ARRIVAL_SECONDS = 60
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the company and its day are."""

    people: int = 2000
    ambassadors: int = 300
    visits_per_post: int = 3
    seed: int = 7


@dataclass
class Stage:
    """Each act records what it did in `tally`."""

    api: Api
    scale: Scale
    feed: bytes | str
    progress: Progress
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.scale.seed)  # noqa: S311 - a demo, repeatable
        self.company: list[Person] = [_row(one) for one in PERSONAS] + make_company(self.scale.people, self.scale.seed)
        self.ids: dict[str, str] = {}
        self.owners: dict[str, Visitor] = {}

    @property
    def today(self) -> date:
        return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()

    @property
    def path(self) -> str:
        """The programme's, at the service `program`."""
        return f"/program/v1/programs/{self.tally.program_id}"

    async def once_known(self, who: str, method: str, path: str, json: Any = None) -> Any:
        """The answer once the service knows the caller and what they ask for; after a minute, its refusal."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
        while True:
            late = asyncio.get_running_loop().time() > deadline
            answer = await self.api.call(who, method, path, json, allow=() if late else (403, 404))
            if answer.is_success:
                return answer
            await asyncio.sleep(0.1)

    async def all_of(self, what: str, things: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Runs the work for all items, several at once, and shows progress."""
        waiting = list(reversed(things))
        done = 0

        async def some() -> None:
            nonlocal done
            while waiting:
                await work(waiting.pop())
                done += 1
                self.progress(what, done, len(things))

        self.progress(what, 0, len(things))
        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(some())


def _row(persona: Persona) -> Person:
    return Person(
        external_id=f"P-{persona.key}",
        email=persona.email,
        name=persona.name,
        country=persona.country,
        team=persona.team,
        role=persona.job,
        level=persona.level,
        site=persona.site,
        locale=persona.locale,
        leader=persona.leader,
    )
