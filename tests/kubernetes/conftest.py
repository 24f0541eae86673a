"""One installation for all scenarios under load; another for the demo."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kubernetes.cluster import reached, why_not
from tests.kubernetes.crowd import RESULTS, Crowd
from tests.kubernetes.installed import Installation, installed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    # Those with an installation of their own come first: it is gone before the one of all others is there.
    items.sort(key=lambda item: item.path.is_relative_to(HERE) and "herald" in getattr(item, "fixturenames", ()))
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(1800))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def _cluster() -> AsyncIterator[None]:
    if why_not():
        yield
        return
    async with reached():
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def herald(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The chart, installed to ready; its mails arrive."""
    async with installed(RESULTS / "home", f"herald-{secrets.token_hex(3)}") as made, made.mailbox():
        await made.install()
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crowd(herald: Installation) -> AsyncIterator[Crowd]:
    """Its workload."""
    made = await Crowd.begin(herald)
    try:
        yield made
    finally:
        await made.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The scenarios that were played, as a table."""
    file = RESULTS / "scenarios.json"
    if why_not() or not file.exists() or os.environ.get("PYTEST_XDIST_WORKER"):
        return
    terminalreporter.section("scenarios")
    for one in json.loads(file.read_text()):
        promises = "I1-I8 held" if len(one["held"]) == 8 else "broken: " + ", ".join(one["broken"])
        terminalreporter.write_line(
            f"{'ok' if one['ok'] else 'BROKEN':6} {one['scenario']}: {one['figure']}; {promises}; {one['acts']} acts, "
            f"{one['again']} asked again, {one['unanswered']} unanswered, {one['visits']} visits of which "
            f"{one['not_redirected']} not redirected, recovered in {one['recovery_seconds']} s, "
            f"{one['duplicates']} of {one['duplicates_allowed']} duplicates, {one['events']} events"
        )
