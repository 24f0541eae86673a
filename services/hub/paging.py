"""Lists that grow: "Show more" adds a page below and puts into the address how many are shown (`shown`), so that who
comes back to it finds them again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.hub.clients import Json
from services.hub.view import View

MAX_SHOWN = 300
MAX_QUERY = 200
"""Characters of what is looked for."""


async def read_list(view: View, cursor: str | None, fetch: Callable[[str | None], Awaitable[Json]]) -> Json:
    """The page of a list that begins at the cursor; without one, its first pages, as many as were shown before.

    `fetch` answers a page as the APIs do: `items`, and where the `next` one begins.
    """
    found = await fetch(cursor)
    wanted = 0 if cursor else min(view.shown, MAX_SHOWN)
    while found["next"] and found["items"] and len(found["items"]) < wanted:
        more = await fetch(found["next"])
        found = {**found, "next": more["next"], "items": [*found["items"], *more["items"]]}
    return found
