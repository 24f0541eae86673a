"""The short form of each collection."""

from __future__ import annotations

import pytest

from tests.corpora import Share
from tests.corpora.__main__ import CORPORA, measure


@pytest.mark.parametrize("name", CORPORA)
def test_a_sample_of_each_collection_reaches_its_aims(name: str) -> None:
    shares = measure(name, short=True)
    assert shares
    below = [f"{share}; missed: {share.misses}" for share in shares if not share.reached]
    assert not below


def test_an_empty_collection_reaches_no_aim() -> None:
    assert not Share("nothing", 0, 0, 0.0).reached
    assert Share("all", 99, 100, 0.99).reached
    assert not Share("too few", 98, 100, 0.99).reached
