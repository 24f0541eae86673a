"""What docs/operations/data.md says of where data is: every collection that the code names is there, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations/data.md").read_text("utf-8")
SOURCES = [path.read_text("utf-8") for room in ("services", "chassis") for path in (ROOT / room).rglob("*.py")]


def constants() -> dict[str, set[str]]:
    """What the names in capitals stand for that are set to a text somewhere."""
    found: dict[str, set[str]] = {}
    for text in SOURCES:
        for names, values in re.findall(r"^([A-Z_]+(?:, [A-Z_]+)*)(?:: Final)? = (\"[^\n]*)$", text, re.MULTILINE):
            for name, value in zip(names.split(", "), re.findall(r'"([a-z_]+)"', values), strict=False):
                found.setdefault(name, set()).add(value)
    return found


def collections() -> set[str]:
    known = constants()
    found: set[str] = set()
    for text in SOURCES:
        for literal, name in re.findall(r"\bdb\[(?:\"([a-z_]+)\"|([A-Z_]+))\]", text):
            found |= {literal} if literal else known[name]
    return found


def test_every_collection_is_told_of() -> None:
    table = PAGE[PAGE.index("## Each collection") :]
    told = set(re.findall(r"`([a-z_]+)`", table)) - {"program", "content", "sharing", "gamification", "metrics", "hub"}
    found = collections()
    assert len(found) > 80
    assert {"people", "survey_texts", "inbox", "audit_trail"} <= found
    assert (found - told, told - found - {"devices"}) == (set(), set())
