"""The table of faults, the pairs drawn from it, and the poison."""

from __future__ import annotations

import random
import re

from tests.fault.__main__ import draw
from tests.fault.faults import FAULTS
from tests.fault.journal import ANY_FATE
from tests.fault.poison import KINDS, Draft, engagement

POST = {"post_id": "p", "ambassador_id": "a", "program_id": "g", "content_id": "c", "network": "x"}


def test_every_fault_has_its_number_once() -> None:
    numbers = [one.number for one in FAULTS]
    assert numbers == sorted(set(numbers))
    assert set(range(1, 25)) <= set(numbers)
    assert len({one.inject for one in FAULTS}) == len(FAULTS)


def test_a_pair_never_pulls_at_the_same_thing_and_depends_on_the_seed_alone() -> None:
    pairs = [draw(random.Random(seed)) for seed in range(200)]
    assert all(not first.handles & second.handles for first, second in pairs)
    assert not any("all" in one.handles for pair in pairs for one in pair)
    assert len({one.number for pair in pairs for one in pair}) > 10
    assert [[one.number for one in draw(random.Random(seed))] for seed in range(200)] == [
        [one.number for one in pair] for pair in pairs
    ]


def test_each_poison_changes_a_good_record_and_says_what_may_become_of_it() -> None:
    assert len({one.kind for one in KINDS}) == len(KINDS)
    for kind in KINDS:
        _, good = engagement(random.Random(1), POST)
        spoilt = Draft(good.topic, good.key, good.value, list(good.headers))
        kind.spoil(spoilt)
        assert spoilt != good, kind.kind
        assert kind.fates
        assert kind.fates <= ANY_FATE
        assert "dead-lettered" in kind.fates or not kind.rules, kind.kind
    assert re.search(r"64 KB", " ".join(one.kind for one in KINDS))
