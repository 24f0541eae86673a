"""The harness of an integration test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi.dependencies import models

from tests.infra import Infra
from tests.integration.harness import Harness, open_harness
from tests.integration.lent import lend
from tests.issuer import Issuer, serve_issuer


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as found:
        yield found


@pytest.fixture(autouse=True)
def _applications_are_forgotten() -> Iterator[None]:
    """FastAPI remembers the functions that it was asked about, some of which hold a whole service: megabytes a test,
    which the collector of garbage looks through again and again."""
    yield
    for one in vars(models).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()


class _Undeclared(logging.Handler):
    """The answers that the description of their operation leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(autouse=True)
def _every_status_is_declared() -> Iterator[None]:
    """Whatever a test asks of an API, the API's description knows the status of the answer."""
    log, handler = logging.getLogger("chassis.web.statuses"), _Undeclared()
    log.addHandler(handler)
    yield
    log.removeHandler(handler)
    assert handler.said == []


@pytest.fixture
async def borrowed(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start no process of their own: databases that are there already, empty."""
    await lend(infra, namespace, monkeypatch)


@pytest.fixture
async def harness(infra: Infra, namespace: str, issuer: Issuer) -> AsyncIterator[Harness]:
    async with open_harness(infra, namespace, issuer) as found:
        yield found
