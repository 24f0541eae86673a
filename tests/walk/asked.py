"""A survey that runs while somebody walks: its page has something to ask, and the managers' list an open one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from tests.e2e.stack import MANAGER, Stack


@asynccontextmanager
async def survey(stack: Stack) -> AsyncIterator[None]:
    """Opened, and afterwards deleted with what was answered."""
    path = f"/program/v1/programs/{stack.program_id}/surveys"
    first = datetime.now(UTC).date() - timedelta(days=1)  # whatever the programme's time zone
    last = first + timedelta(days=7)
    asked = {"fr": "J’ai le temps de partager.", "en": "I have the time to share."}
    body = {"title": "Pulse", "opens_on": first.isoformat(), "closes_on": last.isoformat(), "questions": [asked]}
    prompt = {"fr": "Que devrions-nous changer ?", "en": "What should we change?"}
    made = await stack.api.post(MANAGER, path, {**body, "prompt": prompt})
    await stack.api.post(MANAGER, f"{path}/{made['id']}/open")
    try:
        yield
    finally:
        await stack.api.post(MANAGER, f"{path}/{made['id']}/withdraw")
        await stack.api.call(MANAGER, "DELETE", f"{path}/{made['id']}")
