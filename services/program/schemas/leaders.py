"""Leaders as those who manage a programme see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from pydantic import ConfigDict, Field

from services.program.domain.people import Person, Status
from services.program.schemas.fields import AT, ID, View
from services.program.schemas.people import KnownView

NEVER_ASKED = "none"
_COUNTS: Any = {**dict.fromkeys((NEVER_ASKED, *get_args(Status), "paused"), 0), "joined": 4, NEVER_ASKED: 9}


class LeaderView(KnownView):
    """A leader, and where they stand in the programme."""

    person_id: str
    status: Status | None = Field(description="Null for somebody who was never asked")
    since: datetime | None
    paused_since: datetime | None = Field(description="Since when they take a break")


class LeadersView(View):
    """How many leaders have each status in a programme, and a page of them by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "counts": _COUNTS,
                    "items": [
                        {
                            "person_id": ID,
                            "name": "Marie Roche",
                            "team": "Board",
                            "country": "FR",
                            "leader": True,
                            "site": "Paris",
                            "email": "marie@herald.example",
                            "status": "joined",
                            "since": AT,
                            "paused_since": None,
                        }
                    ],
                    "next": None,
                    "total": 13,
                }
            ]
        }
    )

    counts: dict[str, int] = Field(description="By status; `none` were never asked, `paused` are among the joined")
    items: list[LeaderView]
    next: str | None
    total: int = Field(description="How many there are on all pages; 10,000 stands for that many and more")

    @classmethod
    def of(
        cls, program_id: str, counts: Mapping[str, int], leaders: Sequence[Person], following: str | None, total: int
    ) -> LeadersView:
        whole = dict.fromkeys(_COUNTS, 0)
        items = [_leader(person, program_id) for person in leaders]
        return cls(counts={**whole, **counts}, items=items, next=following, total=total)


def _leader(person: Person, program_id: str) -> LeaderView:
    membership = person.membership(program_id)
    return LeaderView(
        **KnownView.model_validate(person).model_dump(),
        person_id=person.id,
        status=membership.status if membership else None,
        since=membership.since if membership else None,
        paused_since=membership.paused_since if membership else None,
    )
