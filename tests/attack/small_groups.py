"""Figures of so few that they would be persons' own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.attack.attempt import Attempt, expect
from tests.attack.ground import LARGE, MANAGER, SMALL
from tests.attack.target import Target

ARRIVAL_SECONDS = 30.0


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """By team, country and anything beside them; the large group is shown, so that something could have been."""
    path = f"/metrics/v1/programs/{target.program_id}"
    for slices, shown in (
        ({"team": LARGE}, True),
        ({"team": SMALL}, False),
        ({"country": "DE"}, False),
        ({"country": "FR"}, True),
    ):
        found = await _figures(target, path, slices, shown)
        yield expect(
            f"figures of {slices}",
            found["suppressed"] is not shown and bool(found["figures"]) is shown,
            sorted(found["figures"]),
        )
    for slices in (
        {"team": SMALL, "network": "linkedin"}, {"team": SMALL, "content_id": target.item_id},
        {"team": SMALL.upper()}, {"team": f" {SMALL} "}, {"country": "de"}, {"country": "DE", "network": "linkedin"},
        {"country": "DE", "team": SMALL}, {"country": "DE", "team": LARGE},
    ):  # fmt: skip
        answer = await target.api.call(MANAGER, "GET", f"{path}/figures?{_query(slices)}", allow=(400, 404, 422))
        figures = answer.json().get("figures") or {} if answer.is_success else {}
        yield expect(f"figures of {slices}", not figures or _nothing(figures), sorted(figures))
    for by, name in (("team", SMALL), ("country", "DE")):
        series = await target.api.get(MANAGER, f"{path}/series", by=by)
        yield expect(f"a series by {by} names no small group", name not in str(series), sorted(str(series))[:0])


def _nothing(figures: dict[str, Any]) -> bool:
    return all(not one.get("value") for one in figures.values())


def _query(slices: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(slices)


async def _figures(target: Target, path: str, slices: dict[str, str], shown: bool) -> Any:
    """The figures, once those who joined a moment ago are in them."""
    deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
    while True:
        found = await target.api.get(MANAGER, f"{path}/figures", **slices)
        if found["suppressed"] is not shown or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(0.2)
