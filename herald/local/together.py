"""Runs several awaitables at once; one failure ends all."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from herald.local.errors import LocalError


async def together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; when one fails the others are cancelled. Raises the first LocalError alone."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as failures:
        known = [failure for failure in failures.exceptions if isinstance(failure, LocalError)]
        if known:
            raise known[0] from None
        raise
