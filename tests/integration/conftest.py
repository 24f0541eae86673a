"""The harness of an integration test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.infra import Infra
from tests.integration.harness import Harness, open_harness
from tests.issuer import Issuer, serve_issuer


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as found:
        yield found


@pytest.fixture
async def harness(infra: Infra, namespace: str, issuer: Issuer) -> AsyncIterator[Harness]:
    async with open_harness(infra, namespace, issuer) as found:
        yield found
