"""One entry of the guardrails at a time: the rest stays, and nothing is replaced in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.guardrails import Disclosure, Duplicate, Gone, Guardrails, Phrase
from services.sharing.domain.guardrails import DEFAULT_DISCLOSURES, DEFAULT_FORBIDDEN
from services.sharing.schemas import PhraseBody

FORBIDDEN = [PhraseBody.model_validate(one, from_attributes=True).model_dump() for one in DEFAULT_FORBIDDEN]
PRESENT = Guardrails.of({"disclosures": DEFAULT_DISCLOSURES, "forbidden": FORBIDDEN})
ENTRIES = [*PRESENT.disclosures, *PRESENT.phrases]


def test_what_was_read_is_written_again() -> None:
    assert Guardrails.of(PRESENT.document) == PRESENT
    assert PRESENT.document["disclosures"] == DEFAULT_DISCLOSURES
    kept = [{name: value for name, value in one.items() if value} for one in FORBIDDEN]
    assert PRESENT.document["forbidden"] == kept


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_there_is_never_replaced_by_what_is_added(entry: Disclosure | Phrase) -> None:
    other = replace(entry, text="#Other") if isinstance(entry, Disclosure) else replace(entry, severity="warn")
    with pytest.raises(Duplicate):
        PRESENT.with_change(None, other)
    with pytest.raises(Duplicate):
        PRESENT.with_change(None, entry)


def test_a_phrase_is_the_same_in_other_letters() -> None:
    with pytest.raises(Duplicate):
        PRESENT.with_change(None, Phrase("  USAGE   INTERNE", "FR"))


def test_what_somebody_else_changed_is_not_overwritten() -> None:
    with pytest.raises(Gone):
        PRESENT.with_change(replace(PRESENT.disclosures[0], text="#Before"), None)


@given(st.sampled_from(ENTRIES), st.booleans())
def test_the_rest_stays(entry: Disclosure | Phrase, removed: bool) -> None:
    after = None
    if not removed:
        after = replace(entry, text="#New") if isinstance(entry, Disclosure) else replace(entry, phrase="brand new")
    changed = PRESENT.with_change(entry, after)
    found = [*changed.disclosures, *changed.phrases]
    assert found == [after if one == entry else one for one in ENTRIES if after or one != entry]


def test_words_and_country_are_looked_for() -> None:
    assert {one.country for one in PRESENT.search("", "FR").disclosures} == {"FR"}
    found = PRESENT.search("REVOLUTION", "")
    assert {one.phrase for one in found.phrases} == {"revolutionary", "révolutionnaire", "revolutionär"}
    assert found.disclosures == ()
