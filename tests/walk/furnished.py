"""What the first day leaves empty: an event, a wave, a task and others, so that their pages have something to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.stack import MANAGER, Stack

AMBASSADOR, EDITOR = "amina@herald.example", "emma@herald.example"


async def furnish(stack: Stack) -> None:
    """One of each, made by whoever makes it."""
    api, path = stack.api, f"/program/v1/programs/{stack.program_id}"
    now = datetime.now(UTC)
    today = now.date()

    async def made(who: str, name: str, order: dict[str, Any]) -> dict[str, Any]:
        return dict(await api.post(who, f"{path}/{name}", order))

    times = {"starts_at": (now + timedelta(minutes=30)).isoformat(), "ends_at": (now + timedelta(hours=3)).isoformat()}
    event = {"title": "Open day", "place": "Hall 3", **times, "audience": {"everybody": True}}
    known = await made(MANAGER, "events", event)
    await api.post(AMBASSADOR, f"{path}/events/{known['id']}/reply", {"coming": True})
    await made(
        MANAGER,
        "waves",
        {
            "name": "Pilot",
            "goal": "Do twenty of us find the time?",
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(weeks=6)).isoformat(),
            "criteria": {"everybody": True},
        },
    )
    await made(MANAGER, "tasks", {"title": "Choose the first challenge", "due_on": today.isoformat()})
    talk = {"act": "talk", "title": "Twelve years of events", "link": "https://conf.example/talk"}
    await made(AMBASSADOR, "expert-acts", {**talk, "happened_on": today.isoformat()})
    question = {"kind": "question", "text": "May I post the photo of the prototype?", "language": "en"}
    await made(AMBASSADOR, "feedback", question)
    await made(MANAGER, "invitation-links", {"title": "Canteen, Lyon"})
    texts = {one: {"title": "Merci", "text": "À tous."} for one in ("fr", "en")}
    newsletter = {
        "subjects": {"fr": "Voices en mars", "en": "Voices in March"},
        "blocks": [{"texts": texts}],
        "segment": {"everybody": True},
    }
    await made(MANAGER, "newsletters", newsletter)
    await made(
        MANAGER,
        "objectives",
        {
            "use_case": "recruiting",
            "kpi": "hires",
            "baseline": 0,
            "target": 3,
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(weeks=12)).isoformat(),
        },
    )


async def addresses(stack: Stack) -> Mapping[str, Sequence[str]]:
    """By persona, pages to which no link leads here: what is printed, and what only some people need."""
    [event] = (await stack.api.get(MANAGER, f"/program/v1/programs/{stack.program_id}/events"))["items"]
    person = (await stack.api.get(AMBASSADOR, "/program/v1/me"))["id"]
    return {
        "amina": [f"/check-in/{event['code']}", f"/programs/{stack.program_id}/join"],
        "marc": [f"/manage/ambassadors/{person}/access"],
    }
