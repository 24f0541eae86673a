"""Languages that a company adds: their plural forms, English where they say nothing, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import c2py
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from babel import Locale
from babel.messages.plurals import get_plural
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from chassis.messages import CatalogueError, Messages, add_languages, languages, read_catalogue, supported
from chassis.translations import coverage, english_of, template
from herald.cli.app import app
from services.hub.language import Language, own_name
from services.hub.spoken import BEGIN, END, with_languages

HUB = Path(__file__).parents[2] / "services/hub/messages"
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {plural}\\n"\n\n'
GERMAN = HEADER.format(plural="nplurals=2; plural=(n != 1);")
POINTS = 'msgid "points.count"\nmsgid_plural "points.count"\nmsgstr[0] "{count} Punkt"\nmsgstr[1] "{count} Punkte"\n\n'
SAVE = 'msgid "action.save"\nmsgstr "Speichern"\n\n'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    add_languages(None)


def german(folder: Path, text: str) -> None:
    (folder / "de.po").write_text(GERMAN + text)
    add_languages(folder)


def test_a_language_is_there_with_its_file_and_gone_without(folder: Path) -> None:
    assert supported("de-AT, fr;q=0.5") == "fr"
    german(folder, POINTS)
    assert languages() == ("en", "fr", "de")
    assert supported("de-AT, fr;q=0.5") == "de"
    assert own_name("de") == "Deutsch"
    add_languages(None)
    assert (languages(), supported("de")) == (("en", "fr"), "en")


def test_what_it_does_not_say_is_said_in_english_and_marked_as_such(folder: Path) -> None:
    german(folder, POINTS + SAVE)
    language = Language("de", "DE")
    assert language.text("points.count", count=1200) == "1.200 Punkte"
    assert language.page_text("action.save") == "Speichern"
    english = Language("en").text("learn.minutes", count=1.5)
    assert language.text("learn.minutes", count=1.5) == english  # numbers too are those of the sentence's language
    page = f'<p title="{language.page_text("nav.feed")}">{language.page_text("nav.feed")}</p>'
    said = Language("en").text("nav.feed")
    assert with_languages(page) == f'<p title="{said}"><span lang="en" dir="ltr">{said}</span></p>'
    assert Language("fr").page_text("nav.feed") == Language("fr").text("nav.feed")


@pytest.mark.parametrize(
    "text",
    [
        'msgid "action.save"\nmsgstr ""\n',
        '#, fuzzy\nmsgid "action.save"\nmsgstr "Speichern?"\n',
        'msgid "points.count"\nmsgid_plural "points.count"\nmsgstr[0] "{count} Punkt"\nmsgstr[1] "{zahl} Punkte"\n',
        'msgid "points.count"\nmsgid_plural "points.count"\nmsgstr[0] "{count} Punkt"\nmsgstr[1] "{count Punkte"\n',
        'msgid "points.count"\nmsgstr "{count} Punkte"\n',
        'msgid "no.such.thing"\nmsgstr "Nichts"\n',
    ],
)
def test_a_sentence_that_cannot_be_used_is_said_in_english(folder: Path, text: str) -> None:
    german(folder, text)
    for key in ("action.save", "points.count"):
        assert Language("de").text(key, count=2) == Language("en").text(key, count=2)


@given(st.sampled_from(["fr", "de", "pl", "ru", "ar", "ja", "lt", "sl", "cy"]), st.integers(0, 2_000))
def test_the_form_for_a_number_is_the_one_that_its_file_says(code: str, count: int) -> None:
    plural = get_plural(code)
    forms = "".join(f'msgstr[{index}] "form {index}"\n' for index in range(plural.num_plurals))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{code}.po"
        path.write_text(HEADER.format(plural=plural.plural_forms) + f'msgid "k"\nmsgid_plural "k"\n{forms}')
        found = read_catalogue(path)
    expected = c2py(plural.plural_expr)(count)
    assert found.form(Locale.parse(code), "k", count) == f"form {expected}"


@pytest.mark.parametrize("text", ["msgid broken", "\xff", 'msgid ""\nmsgstr "Plural-Forms: nplurals=1; plural=n>1;"\n'])
def test_a_file_that_is_no_catalogue_keeps_a_service_from_starting(tmp_path: Path, text: str) -> None:
    (tmp_path / "de.po").write_text(text, "latin-1")
    with pytest.raises(CatalogueError, match=r"de\.po"):
        add_languages(tmp_path)
    with pytest.raises(CatalogueError):
        add_languages(tmp_path / "nowhere")
    add_languages(None)


WORDS = st.text("ab <>&\"'", max_size=8)


@given(st.lists(st.tuples(st.booleans(), WORDS), max_size=8))
def test_marks_become_elements_and_leave_nothing_behind(parts: list[tuple[bool, str]]) -> None:
    texts = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for _, text in parts]
    page = "".join(
        f'<p title="{BEGIN}t{END}">{BEGIN}{text}{END}</p>' if english else f"<option>{BEGIN}{text}{END}</option>"
        for (english, _), text in zip(parts, texts, strict=True)
    )
    found = with_languages(page)
    assert BEGIN not in found
    assert END not in found
    assert found.count('<span lang="en"') == found.count("</span>") == sum(english for english, _ in parts)
    assert found.replace('<span lang="en" dir="ltr">', "").replace("</span>", "") == page.replace(BEGIN, "").replace(
        END, ""
    )


def test_what_is_missing_and_what_is_outdated_is_counted(tmp_path: Path) -> None:
    english = english_of([HUB])
    (tmp_path / "de.po").write_bytes(template("de", english))
    fresh = coverage("de", english, read_catalogue(tmp_path / "de.po"))
    assert (fresh.translated, len(fresh.missing), fresh.outdated) == (0, len(english), ())
    text = (tmp_path / "de.po").read_text()
    text = text.replace('msgid "action.save"\nmsgstr ""', 'msgid "action.save"\nmsgstr "Speichern"')
    (tmp_path / "de.po").write_text(text + '\nmsgid "of.before"\nmsgstr "Von früher"\n')
    found = coverage("de", english, read_catalogue(tmp_path / "de.po"))
    assert (found.translated, found.outdated) == (1, ("of.before",))
    changed = {**english, "action.save": ("Keep",)}
    found = coverage("de", changed, read_catalogue(tmp_path / "de.po"))
    assert (found.translated, found.outdated) == (1, ("action.save", "of.before"))
    again = tmp_path / "again" / "de.po"
    again.parent.mkdir()
    again.write_bytes(template("de", changed, tmp_path / "de.po"))
    merged = read_catalogue(again)
    assert merged.texts["action.save"] == ("Speichern",)
    assert merged.fuzzy == {"action.save"}
    assert "of.before" not in merged.texts


def test_the_command_counts_each_language_and_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(GERMAN + SAVE)
    counted = CliRunner().invoke(app, ["languages", str(tmp_path), "--names"])
    assert counted.exit_code == 0, counted.output  # Herald's own languages say everything
    rows = {line.split()[0]: line.split()[1:] for line in counted.output.splitlines()[1:4]}
    assert rows.keys() == {"en", "fr", "de"}
    assert [int(rows[code][2]) for code in ("en", "fr")] == [0, 0]
    assert (rows["de"][1], rows["de"][3]) == ("1", "0")
    assert "  missing points.count" in counted.output.splitlines()
    written = CliRunner().invoke(app, ["languages", str(tmp_path), "--template", "de"])
    assert 'msgid "action.save"\nmsgstr "Speichern"' in written.output
    (tmp_path / "de.po").write_text("msgid broken")
    assert CliRunner().invoke(app, ["languages", str(tmp_path)]).exit_code == 1


def test_messages_of_other_packages_are_in_the_same_file(folder: Path) -> None:
    german(folder, SAVE + 'msgid "mail.invitation.link"\nmsgstr "Mitmachen"\n')
    mails = Messages(HUB.parents[1] / "program/messages")
    assert mails.text("de", "mail.invitation.link") == "Mitmachen"
    assert "action.save" not in mails.catalogue("de")
