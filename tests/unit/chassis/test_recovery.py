"""What owners take back from their own events, as pure functions of a row and the events that it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.recovery import Incomplete, Kept
from herald.operations.recover import OWNERS, load_kept
from herald_contracts import Event

EXAMPLES = Path(__file__).resolve().parents[3] / "contracts" / "examples"


class _Nothing:
    """A database with nothing in it."""

    def __getitem__(self, _: str) -> _Nothing:
        return self

    async def find_one(self, *_: object, **__: object) -> None:
        return None


NOTHING = cast("Any", _Nothing())
KEPT = [pytest.param(one, id=f"{service}: {one.kind}") for service in OWNERS for one in load_kept(service)]


def _events(kept: Kept) -> list[Any]:
    found = []
    for kind in kept.events:
        folder = EXAMPLES / kind.type.split(".")[1] / "v1"
        found += [
            kind.from_json(json.dumps(json.loads(file.read_text())["data"])) for file in sorted(folder.glob("*.json"))
        ]
    return found


@pytest.mark.parametrize("kept", KEPT)
async def test_each_example_is_followed_or_told_and_never_twice(kept: Kept) -> None:
    rows: dict[str, dict[str, Any] | None] = {}
    for event in _events(kept):
        id, before = kept.id(event), rows.get(kept.id(event))
        if not kept.lacks(before, event):
            continue
        try:
            after = await kept.fold(NOTHING, before, [event])
        except Incomplete:
            continue
        assert after is None or after.get("_id", id) == id
        rows[id] = _revised(after, kept, event)
        if after is not None:
            again = _revised(await kept.fold(NOTHING, rows[id], [event]), kept, event)
            assert not kept.lacks(rows[id], event) or again == rows[id]


def _revised(row: dict[str, Any] | None, kept: Kept, event: Event) -> dict[str, Any] | None:
    revision = getattr(event, "revision", None)
    return row if row is None or revision is None else {**row, kept.version: max(row.get(kept.version, 0), revision)}


def test_each_revision_that_an_owner_gives_out_is_looked_at() -> None:
    """A new event with a revision has its row lifted after a restore, or projections pass over its next change."""
    followed = {event for service in OWNERS for kept in load_kept(service) for event in kept.events}
    revised = {
        event
        for event in Event.registry.values()
        if "revision" in event.model_fields and event.source.rpartition("/")[2] in OWNERS
    }
    assert revised - followed == set()
