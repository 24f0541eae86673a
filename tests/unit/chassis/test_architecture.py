"""Rules of the house that import-linter cannot say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path for room in ("chassis", "services", "herald", "contracts") for path in (ROOT / room).rglob("*.py")]


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_imports_motor() -> None:
    assert [
        path for path in SOURCES if any(name.startswith("motor") for name in names(ast.parse(path.read_text())))
    ] == []


def test_services_get_their_database_client_from_one_place() -> None:
    """The audit and the local servers have clients of their own: they are to know nothing of the chassis' one."""
    creators = {path for path in SOURCES if "pymongo.AsyncMongoClient" in set(names(ast.parse(path.read_text())))}
    named = {path.relative_to(ROOT).as_posix() for path in creators}
    assert {name for name in named if not name.startswith("herald/")} == {"chassis/mongo/client.py"}


def test_the_date_is_read_from_the_clock_alone_and_by_what_runs_beside_the_services() -> None:
    """Services are given a clock. A consumer, the relay and dead letters note when they worked."""
    read = re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today)\(")
    readers = {path.relative_to(ROOT).as_posix() for path in SOURCES if read.search(path.read_text())}
    assert {name for name in readers if name.startswith(("chassis/", "services/"))} == {
        "chassis/consumer/loop.py",
        "chassis/dead_letters/store.py",
        "chassis/outbox/relay.py",
    }
