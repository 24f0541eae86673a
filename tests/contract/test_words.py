"""Open words take any word, closed doors none but the known, and the README lists what the schemas list."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.web.one_of import OneOf
from herald.contracts.schemas import event_schema, events
from herald.operations.topics import CONTRACTS
from herald_contracts import words

NETWORK = TypeAdapter[str](words.Network)
KNOWN_NETWORK = TypeAdapter[str](Annotated[str, OneOf(words.NETWORKS)])


@given(st.from_regex(words.PATTERN, fullmatch=True).filter(lambda word: len(word) <= words.MAX_LENGTH))
def test_an_open_word_may_be_any_word(word: str) -> None:
    assert NETWORK.validate_python(word, strict=True) == word


@pytest.mark.parametrize(
    "wrong", ["", "X", "9gag", "two words", "a.b", "a|b", "\u00e9", "linkedin\n", "a" * 65, 1, None]
)
def test_what_is_no_word_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        NETWORK.validate_python(wrong, strict=True)


def test_a_door_takes_the_known_only() -> None:
    assert KNOWN_NETWORK.validate_python("linkedin") == "linkedin"
    assert KNOWN_NETWORK.json_schema()["enum"] == list(words.NETWORKS)
    with pytest.raises(ValidationError) as refused:
        KNOWN_NETWORK.validate_python("bluesky")
    assert refused.value.errors()[0]["type"] == "literal_error"


def _known(schema: Any) -> set[tuple[str, ...]]:
    if isinstance(schema, dict):
        own = {tuple(schema[words.KNOWN_VALUES])} if words.KNOWN_VALUES in schema else set()
        return own.union(*map(_known, schema.values()))
    return set().union(*map(_known, schema)) if isinstance(schema, list) else set()


def test_the_readme_lists_every_known_value() -> None:
    section = (CONTRACTS / "README.md").read_text().partition("## Open words")[2]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("| `")]
    listed = {frozenset(re.findall(r"`([a-z_]+)`", row)) for row in rows}
    assert listed == {frozenset(one) for cls in events() for one in _known(event_schema(cls))}
