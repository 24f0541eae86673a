"""Sharing once, taking back, and taking that back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.web.problems import Conflict
from services.sharing.domain.posts import Post, ShareOrder, finish_removal, remove, restore

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HELD = timedelta(seconds=20)
ORDER = ShareOrder("c", "x", "fr", "Bonjour", "k1")
POST = Post(
    id="p",
    version=1,
    ambassador_id="ana",
    program_id="p1",
    content_id="c",
    network="x",
    language="fr",
    title="",
    caption_id=None,
    caption="Bonjour",
    edited=True,
    link_code="code",
    target="https://a.example/",
    shared_at=NOW,
)


def test_a_tap_is_the_same_in_the_same_words_alone() -> None:
    assert ORDER.tap("ana") == replace(ORDER, caption_id=None).tap("ana")
    others = (
        replace(ORDER, caption="Bonsoir"), replace(ORDER, language="en"), replace(ORDER, network="email"),
        replace(ORDER, content_id="d"),
    )  # fmt: skip
    assert len({ORDER.tap("ana"), ORDER.tap("bob"), *(one.tap("ana") for one in others)}) == 6


def test_a_removal_can_be_undone_while_it_is_held() -> None:
    removed = remove(POST, "ambassador", NOW, held=HELD)
    assert remove(removed, "ambassador", NOW + HELD, held=HELD) is removed
    assert finish_removal(removed, NOW) is removed
    restored = restore(removed, NOW + HELD - timedelta(seconds=1))
    assert restored == replace(POST, version=3)
    assert restore(restored, NOW) is restored


@pytest.mark.parametrize("held", [HELD, timedelta(0)])
def test_then_it_is_final(held: timedelta) -> None:
    removed = remove(POST, "ambassador", NOW, held=held)
    finished = finish_removal(removed, NOW + HELD)
    assert (finished.removed_at, finished.restorable_until) == (NOW, None)
    assert finish_removal(finished, NOW + HELD) is finished
    for post in (removed, finished):
        with pytest.raises(Conflict, check=lambda error: error.type == "removal-final"):
            restore(post, NOW + HELD)
