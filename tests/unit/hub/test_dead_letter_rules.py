"""Whatever a record is dead-lettered for is said in the reader's words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.hub.language import Language

ROOT = Path(__file__).parents[3]
RAISED = {"Undecodable", "InvalidEvent"}


def rules() -> Iterator[str]:
    """The rules that are named where records are refused."""
    for folder in ("chassis", "services", "contracts/herald_contracts"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=rule), *_]) if name in RAISED:
                        yield str(rule)


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_rule_of_a_dead_letter_has_its_words(code: str) -> None:
    language = Language(code)
    found = set(rules())
    assert len(found) > 9
    for rule in found:
        assert language.text(f"dead_letters.rule.{rule}"), rule
        assert len(language.text(f"dead_letters.why.{rule}")) > 20, rule
