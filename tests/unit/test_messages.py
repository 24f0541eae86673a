"""Every catalogue of the project says everything in each language, with the same placeholders and plural forms."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from chassis.messages import LANGUAGES, Messages, supported

ROOT = Path(__file__).parents[2]
FOLDERS = sorted({path.parent for path in ROOT.glob("*/**/messages/*.po") if ".venv" not in path.parts})


def placeholders(forms: tuple[str, ...]) -> set[str]:
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_there_are_catalogues() -> None:
    assert ROOT / "services/hub/messages" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_agrees_with_the_english_one(folder: Path, language: str) -> None:
    messages = Messages(folder)
    english, other = messages.catalogue("en"), messages.catalogue(language)
    assert english
    assert english.keys() ^ other.keys() == set()
    for key, forms in other.items():
        assert all(form.strip() for form in forms), key
        assert len(forms) == len(english[key]), key
        assert placeholders(forms) == placeholders(english[key]), key


CATALOGUE = """
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: nplurals=2; plural=(n {plural});\\n"

msgid "points"
msgid_plural "points"
msgstr[0] "{{count}} point"
msgstr[1] "{{count}} points"
"""


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("fr", 0, "0 point"),
        ("fr", 1.5, "1,5 point"),
        ("fr", 1200, "1\u202f200 points"),
        ("en", 0, "0 points"),
        ("en", 1, "1 point"),
        ("en", 1.5, "1.5 points"),
        ("en", 1200, "1,200 points"),
    ],
)
def test_plural_forms_and_numbers_follow_the_language(
    tmp_path: Path, language: str, count: float, expected: str
) -> None:
    plural = "> 1" if language == "fr" else "!= 1"
    (tmp_path / f"{language}.po").write_text(CATALOGUE.format(language=language, plural=plural))
    assert Messages(tmp_path).text(language, "points", count=count) == expected


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [((None, "de, fr;q=0.8"), "fr"), (("fr_CA",), "fr"), (("pt",), "en"), ((), "en")],
)
def test_the_first_language_that_is_supported_is_taken(wishes: tuple[str | None, ...], expected: str) -> None:
    assert supported(*wishes) == expected
