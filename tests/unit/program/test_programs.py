"""Texts in versions and languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Invalid
from services.program.domain.programs import choose_language, publish_text
from tests.unit.program.test_people import program

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
BOTH = {"fr": "Bonjour", "en": "Hello"}


def test_texts_have_versions_and_the_first_guidelines_are_material() -> None:
    one, text = publish_text(program(), "guidelines", BOTH, material=False, now=LATER)
    assert (text.version, text.material, dict(text.texts)) == (1, True, BOTH)
    assert (one.guidelines_version, one.material_version, one.version) == (1, 1, 2)
    two, text = publish_text(one, "guidelines", BOTH, material=False, now=LATER)
    assert (text.version, text.material) == (2, False)
    assert (two.guidelines_version, two.material_version) == (2, 1)
    three, _ = publish_text(two, "guidelines", BOTH, material=True, now=LATER)
    assert (three.guidelines_version, three.material_version) == (3, 3)
    consent, text = publish_text(three, "consent", BOTH, material=True, now=LATER)
    assert (consent.consent_version, consent.guidelines_version, text.version) == (2, 3, 2)


@pytest.mark.parametrize(
    ("texts", "errors"),
    [
        ({"fr": "Bonjour"}, [("texts.en", "language-missing")]),
        ({**BOTH, "de": "Hallo"}, [("texts.de", "language-unknown")]),
        (
            {"de": "Hallo"},
            [("texts.fr", "language-missing"), ("texts.en", "language-missing"), ("texts.de", "language-unknown")],
        ),
    ],
)
def test_a_text_is_there_in_each_language(texts: dict[str, str], errors: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as raised:
        publish_text(program(), "consent", texts, material=True, now=NOW)
    assert [(error.field, error.rule) for error in raised.value.errors] == errors


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("en", "en-GB"),
        ("en-US", "en-GB"),
        ("en-GB", "en-GB"),
        ("ja", "fr"),
        (None, "fr"),
    ],
)
def test_a_reader_gets_the_nearest_language(wanted: str | None, chosen: str) -> None:
    assert choose_language({"fr": "", "en-GB": ""}, wanted, ("fr", "en-GB")) == chosen


@given(st.lists(st.booleans(), min_size=1, max_size=10))
def test_the_material_version_is_the_last_material_one(materials: list[bool]) -> None:
    found = program()
    for material in materials:
        found, _ = publish_text(found, "guidelines", BOTH, material=material, now=NOW)
    last = max((n for n, material in enumerate(materials, 1) if material or n == 1))
    assert (found.guidelines_version, found.material_version) == (len(materials), last)
