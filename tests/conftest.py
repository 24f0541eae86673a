"""Fixtures for every test: real servers, a namespace of one's own, and no sockets for unit tests."""

import gc
import os
import secrets
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import hypothesis
import pytest
import pytest_socket

from tests import infra as servers
from tests.fuzz import WANTED
from tests.infra import Infra

gc.disable()  # until all tests are collected
hypothesis.settings.register_profile("herald", derandomize=True, deadline=None)
hypothesis.settings.load_profile("herald")

_enum_of = vars(signal)["_int_to_enum"]
# asyncio sets a handler around each test and each fixture. Python 3.11 looks for it among the constants, in vain, and
# makes an error of it that shows the last task with all that it gave: seconds of work where that is large.
setattr(signal, "_int_to_enum", lambda found, kind: _enum_of(found, kind) if isinstance(found, int) else found)  # noqa: B010

LEVELS = ("unit", "contract", "integration", "e2e", "fault", "corpora")
TESTS = Path(__file__).parent


def _leads(config: pytest.Config) -> bool:
    """Whether this process leads the run: not a worker of pytest-xdist."""
    return not hasattr(config, "workerinput")


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: more workers than cores, because most tests wait for servers most of the time."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS", "0")) or max(5, os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    if _leads(config):
        servers.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _leads(config):
        servers.end_run()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A text of a megabyte is not the name of a test: every worker would tell it, several times."""
    return f"{val[:30]!a}, {len(val)} long" if isinstance(val, str | bytes) and len(val) > 100 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS):
            level = item.path.relative_to(TESTS).parts[0]
            if level in LEVELS:
                item.add_marker(level)
        if WANTED:
            item.add_marker(pytest.mark.timeout(0), append=False)


def pytest_collection_finish(session: pytest.Session) -> None:
    """xdist marks groups in private fields of pytest: without effect, each worker would start a whole Herald.

    What is there by now stays to the end of the run: the collector of garbage need not look through it while it is
    made, nor again and again afterwards, which takes it a third of a second each time."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 20)
    if not _leads(session.config) and session.config.getvalue("loadgroup"):
        lost = [one.nodeid for one in session.items if one.get_closest_marker("xdist_group") and "@" not in one.nodeid]
        assert not lost, f"these tests would not keep to one worker: {lost[:3]}"


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that opens a connection fails; an event loop's own socket pair is allowed."""
    if request.node.get_closest_marker("unit") is None:
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    try:
        yield
    finally:
        pytest_socket.enable_socket()


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """HTTPX reads those that it trusts for each client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def infra() -> Infra:
    """Real Kafka, MongoDB and Redis, shared by the whole run: take a `namespace` for what you put there."""
    return servers.acquire()


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh prefix such as `t3f9a2c` for topics, databases and groups; HERALD_NAMESPACE is set to it."""
    name = f"t{secrets.token_hex(3)}"
    monkeypatch.setitem(os.environ, "HERALD_NAMESPACE", name)
    return name
