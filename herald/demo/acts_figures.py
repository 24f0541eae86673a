"""The figures of acts beside sharing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from herald.demo.api import Api
from herald.demo.figure import Figure
from herald.demo.stage import MANAGER
from herald.demo.tally import Tally
from herald.demo.topics import TopicView


@dataclass(slots=True)
class ActsRead:
    """What `program` has: referrals by state, and how many were at the event."""

    referrals: Counter[str]
    there: int


async def read_acts(api: Api, tally: Tally) -> ActsRead:
    program = f"/program/v1/programs/{tally.program_id}"
    referrals = await api.pages(MANAGER, f"{program}/referrals", limit=50)
    event = await api.get(MANAGER, f"{program}/events/{tally.event_id}")
    return ActsRead(Counter(one["state"] for one in referrals), event["there"])


def acts_settled(tally: Tally, figures: dict[str, Any]) -> bool:
    """Whether metrics knows all of them."""
    return bool(figures["acts"]["value"] == sum(map(len, tally.other_acts.values())))


def figures_of_acts(tally: Tally, topics: TopicView, found: ActsRead, figures: dict[str, Any]) -> list[Figure]:
    """`figures` are today's."""
    done = {act: len(people) for act, people in tally.other_acts.items()}
    told, shown = topics.other_acts, figures["acts"]["by_kind"]
    stored = {"referral": found.referrals.total(), "hire": found.referrals["hired"], "event": found.there}
    names = {"referral": "referrals", "hire": "hires", "event": "event check-ins"}
    return [Figure(name, done[act], told[act], stored[act], shown.get(act, 0)) for act, name in names.items()]
