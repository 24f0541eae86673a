"""The quick part of the fault suite: each promise under the faults that threaten it most. All: `make fault`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.bounds import bound
from tests.fault.checker import PROMISES
from tests.fault.faults import FAULTS, Fault
from tests.fault.runner import Run
from tests.fault.system import running_system

pytestmark = [
    pytest.mark.xdist_group("fault"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run() -> AsyncIterator[Run]:
    async with running_system() as system:
        found = await Run.begin(system, seed=11)
        yield found
        await found.end()


@pytest.mark.parametrize("fault", [pytest.param(one, id=f"{one.number}") for one in FAULTS if one.fast])
async def test_every_promise_holds(run: Run, fault: Fault) -> None:
    outcome = await run.meet([replace(fault, recovery=bound(fault.recovery))], seed=fault.number)
    assert outcome.broken == {}
    assert outcome.conditions == []
    assert outcome.held == list(PROMISES)
    assert outcome.asked > 100
