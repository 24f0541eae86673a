"""Each mutant still finds what it breaks, and is expected to be caught."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fault import mutations
from tests.fault.checker import PROMISES
from tests.fault.faults import FAULTS
from tests.fault.mutants import MUTANTS
from tests.fault.mutations import MUTATIONS, Verdict

BREAK_ALL = """
from tests.fault.mutants import MUTANTS

for name, change in MUTANTS.items():
    print(name)
    change()
"""


def test_every_mutant_finds_what_it_breaks() -> None:
    done = subprocess.run([sys.executable, "-c", BREAK_ALL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout.split()[-1]} fits the chassis no more: {done.stderr[-500:]}"
    assert done.stdout.split() == list(MUTANTS)


def test_every_mutant_has_faults_and_a_promise_that_is_more_than_recovery() -> None:
    numbers = {fault.number for fault in FAULTS}
    assert [mutation.name for mutation in MUTATIONS if mutation.name not in MUTANTS] == []
    assert [name for name in MUTANTS if name not in {mutation.name for mutation in MUTATIONS}] == []
    for mutation in MUTATIONS:
        assert mutation.faults
        assert set(mutation.faults) <= numbers
        assert mutation.promises or mutation.condition
        assert set(mutation.promises) <= PROMISES.keys() - {"I6"}
        assert mutation.what


def test_what_a_condition_caught_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    by_condition = Verdict("one", "what", (), promise="everybody got it", caught_by=28)
    by_promise = Verdict("two", "what", ("I5",), promise="I5", caught_by=3)
    mutations._show([by_condition, by_promise, Verdict("three", "what", ("I1",))], 60.0)
    said = capsys.readouterr().out
    assert "2 of 3 caught" in said
    assert "survived" in said
