"""Faults of mails: their sender is killed while a newsletter goes out, the SMTP server misbehaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from tests.fault.harness import FaultHarness
from tests.fault.world import EDITOR, MANAGER
from tests.smtp import Mood

LETTERS = 12
CONNECTIONS = 4
"""Mails that are under way at once (`HERALD_SMTP_CONNECTIONS`)."""
DONE_SECONDS = 180.0
REFUSED = "p1@fault.example"
MOODS: tuple[Mood, ...] = ("later", "half", "silent", "closes", "closing", "takes-and-dies")


async def sender_killed(harness: FaultHarness) -> None:
    """SIGKILL at random moments and between handing a mail over and noting it: nobody is left out, and no more go twice
    than were under way."""
    smtp = harness.system.smtp
    smtp.delay = 0.05
    before = Counter(smtp.by_subject())
    letters = await _send(harness, f"killed {harness.chance.random()}")
    kills = 2
    await harness.crash("workers", "mail.claimed", "mail.handed-over")
    for _ in range(min(harness.rounds, 4)):
        had = len(smtp.taken)
        await harness.process("workers").ready()
        await harness.until(partial(_more, harness, had, letters), "mails go on after a kill", within=60)
        await asyncio.sleep(harness.chance.uniform(0.0, 0.4))
        await harness.kill("workers")
        await harness.process("workers").start()
        kills += 1
    await harness.process("workers").ready()
    smtp.delay = 0.0
    await _settle(harness, letters, before, set(), twice=kills * CONNECTIONS)


async def smtp_misbehaves(harness: FaultHarness) -> None:
    """4xx, 5xx for one reader, half a reply, none, a server that hangs up or is not there: everybody else gets each
    newsletter, and only what was taken without an answer goes twice."""
    smtp = harness.system.smtp
    before, unanswered = Counter(smtp.by_subject()), smtp.unanswered
    smtp.delay = 0.05
    smtp.moods = lambda recipient: "refuses" if recipient == REFUSED else None
    letters = await _send(harness, f"misbehaved {harness.chance.random()}")
    moods = list(MOODS)
    harness.chance.shuffle(moods)
    try:
        for mood in moods:
            smtp.mood = mood
            await asyncio.sleep(harness.chance.uniform(1.0, 2.0))
            smtp.mood = "takes"
            await asyncio.sleep(harness.chance.uniform(0.2, 0.6))
        for mode in ("reset", "blackhole", "drop-answers"):
            async with harness.network("smtp", mode):
                await asyncio.sleep(harness.chance.uniform(1.0, 2.0))
    finally:
        smtp.mood, smtp.delay = "takes", 0.0
    # What was on its way when answers were dropped may have been taken.
    await _settle(harness, letters, before, {REFUSED}, twice=smtp.unanswered - unanswered + 2 * CONNECTIONS)
    smtp.moods = lambda _: None


async def _send(harness: FaultHarness, name: str) -> dict[str, str]:
    """Newsletters that are due now: their ids by subject."""
    call, program = harness.workload.world.client.call, harness.workload.world.program_id
    path = f"/program/v1/programs/{program}/newsletters"
    found: dict[str, str] = {}
    for number in range(LETTERS):
        subject = f"{name} {number}"
        body: dict[str, Any] = {
            "subjects": {"en": subject, "fr": subject},
            "segment": {"everybody": True},
            "blocks": [{"kind": "text", "texts": {code: {"text": "What happened."} for code in ("en", "fr")}}],
        }
        made = await call(MANAGER, "POST", path, body, key=subject)
        id = made.json()["id"]
        await call(MANAGER, "POST", f"{path}/{id}/approve", headers={"If-Match": "*"})
        now = datetime.now(UTC).astimezone(ZoneInfo("Europe/Paris"))
        when = {"send_on": now.date().isoformat(), "send_at": f"{now:%H:%M}"}
        await call(MANAGER, "POST", f"{path}/{id}/schedule", when)
        found[subject] = id
    return found


async def _more(harness: FaultHarness, had: int, letters: dict[str, str]) -> bool:
    """Whether mails were taken since, or there are none left."""
    if len(harness.system.smtp.taken) > had + harness.chance.randint(1, 12):
        return True
    return await _all_sent(harness, letters)


async def _all_sent(harness: FaultHarness, letters: dict[str, str]) -> bool:
    call, program = harness.workload.world.client.call, harness.workload.world.program_id
    path = f"/program/v1/programs/{program}/newsletters"
    for id in letters.values():
        if (await call(EDITOR, "GET", f"{path}/{id}")).json()["state"] != "sent":
            return False
    return True


async def _settle(
    harness: FaultHarness, letters: dict[str, str], before: Counter[tuple[str, str]], out: set[str], *, twice: int
) -> None:
    """Everybody but those left `out` got each newsletter, and no more than so many mails went twice."""
    await harness.until(lambda: _all_sent(harness, letters), "every newsletter is sent", within=DONE_SECONDS)
    got = Counter(harness.system.smtp.by_subject()) - before
    readers = set(harness.workload.world.people) - out
    missing = [(subject, who) for subject in letters for who in readers if not got[subject, who]]
    harness.holds("everybody got each newsletter", not missing, missing[:5])
    refused = [(subject, who) for subject in letters for who in out if got[subject, who]]
    harness.holds("who refuses mails got none", not refused, refused[:5])
    again = sum(count - 1 for (subject, _), count in got.items() if subject in letters)
    harness.holds("no more went twice than were under way", again <= twice, f"{again}, not {twice}")
