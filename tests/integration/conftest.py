"""The stage of an integration test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.infra import Infra
from tests.integration import harness
from tests.integration.harness import Stage
from tests.issuer import Issuer, serve_issuer


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as found:
        yield found


@pytest.fixture
async def stage(infra: Infra, namespace: str, issuer: Issuer) -> AsyncIterator[Stage]:
    async with harness.stage(infra, namespace, issuer) as found:
        yield found
