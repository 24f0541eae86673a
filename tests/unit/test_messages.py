"""Every catalogue of the project says everything in each language, with the same placeholders and plural forms."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from chassis.messages import LANGUAGES, Messages, supported
from services.metrics.domain.definitions import DEFINITIONS
from services.program.domain.quizzes import Question
from services.program.starters import starter_lessons

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


# --- typography: Lexique des règles typographiques en usage à l’Imprimerie nationale; CLDR for % ---

NO_BREAK, NARROW = "\u00a0", "\u202f"
MISSET = {
    "U+202F before ; ! ?": re.compile(rf"(?<![{NARROW}!?…])[;!?]"),
    "U+00A0 before :": re.compile(rf"(?<![{NO_BREAK}\d])(?<!https)(?<!http):"),
    "U+00A0 after «": re.compile(rf"«(?!{NO_BREAK})"),
    "U+00A0 before »": re.compile(rf"(?<!{NO_BREAK})»"),
    "U+202F before %": re.compile(rf"(?<!{NARROW})%"),
    "U+202F in numbers": re.compile(r"\d[ \u00a0]\d|\d{5}"),
    "’ and not '": re.compile(r"'"),
    "« » and not quotes": re.compile(r"[\"“”]"),
    "… and not ...": re.compile(r"\.\.\."),
    "one space": re.compile(rf"  | [{NO_BREAK}{NARROW}]|[{NO_BREAK}{NARROW}] "),
}
ENGLISH = {
    "no space before ; : ! ?": re.compile(rf"[ {NO_BREAK}{NARROW}][;:!?]"),
    "’ and not '": re.compile(r"'"),
    '“ ” and not " or « »': re.compile(r"[\"«»]"),
    "… and not ...": re.compile(r"\.\.\."),
    "one space": re.compile(r"  "),
}
ENTITY = re.compile(r"&(?:amp;)?\w+;")
IN_FRENCH = {"program.consent_fr", "events.poster_fr", "language.fr"}
IN_ENGLISH = {"program.consent_en", "events.poster_en", "language.en"}


def misset(language: str, text: str) -> list[str]:
    rules = MISSET if language == "fr" else ENGLISH
    plain = ENTITY.sub("", text)
    return [name for name, pattern in rules.items() if pattern.search(plain)]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_set_as_their_language_sets_them(folder: Path, language: str) -> None:
    found = {
        f"{key}: {form}": wrong
        for key, forms in Messages(folder).catalogue(language).items()
        for form in forms
        if (wrong := misset("fr" if key in IN_FRENCH else "en" if key in IN_ENGLISH else language, form))
    }
    assert found == {}


def test_starter_lessons_are_set_so_too() -> None:
    found = {
        text: wrong
        for one in starter_lessons()
        for language, lesson in one.texts.items()
        for text in (lesson.title, lesson.text, *(text for question in lesson.questions for text in _said(question)))
        if (wrong := misset(language, text))
    }
    assert found == {}


def _said(question: Question) -> tuple[str, ...]:
    return (question.text, question.explanation, *(choice.text for choice in question.choices))


def test_definitions_of_figures_are_set_so_too() -> None:
    found = {
        text: wrong
        for one in DEFINITIONS.values()
        for language, text in (*one.name.items(), *one.text.items())
        if (wrong := misset(language, text))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Quoi ?", "U+202F before ; ! ?"),
        ("Quoi?", "U+202F before ; ! ?"),
        ("Ceci : cela", "U+00A0 before :"),
        ("« ainsi »", "U+00A0 after «"),
        ("35 %", "U+202F before %"),
        ("l'eau", "’ and not '"),
    ],
)
def test_what_a_typographer_would_mend_is_found(text: str, wrong: str) -> None:
    assert wrong in misset("fr", text)
    assert misset("fr", f"Voilà{NARROW}! Ceci{NO_BREAK}: «{NO_BREAK}l’eau{NO_BREAK}», à 18:00, 35{NARROW}%") == []
