"""Both languages say everything, and say it the way their readers write numbers and dates."""

import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.hub.language import CATALOGUES, LANGUAGES, Language, catalogue, chosen

HUB = CATALOGUES.parent
KEY = re.compile(r"""(?:\bt|language\.text)\("([a-z0-9_.-]+)"[,)]""")
PREFIX = re.compile(r"""\bt\("([a-z_.]+[._])" ~""")


def placeholders(text: str | dict[str, str]) -> set[str]:
    forms = [text] if isinstance(text, str) else list(text.values())
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_all_languages_have_the_same_texts() -> None:
    keys = {language: catalogue(language).keys() for language in LANGUAGES}
    assert keys["en"] ^ keys["fr"] == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_and_placeholders_agree(language: str) -> None:
    for key, text in catalogue(language).items():
        forms = [text] if isinstance(text, str) else list(text.values())
        assert all(form.strip() for form in forms), key
        assert placeholders(text) == placeholders(catalogue("en")[key]), key


def test_plural_texts_are_plural_in_both_languages() -> None:
    plural = {language: {k for k, v in catalogue(language).items() if not isinstance(v, str)} for language in LANGUAGES}
    assert plural["en"] == plural["fr"]


def test_every_text_that_a_page_asks_for_is_there_and_no_other() -> None:
    sources = [*HUB.rglob("*.html"), *HUB.rglob("*.py")]
    found = "".join(path.read_text() for path in sources)
    asked = set(KEY.findall(found))
    assert asked - catalogue("en").keys() == set()
    families = set(PREFIX.findall(found)) | {"nav.", "figure.", "refused.", "rule.", "toast."}
    unused = {k for k in catalogue("en") if k not in asked and not any(k.startswith(one) for one in families)}
    assert unused == set()


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (("fr-CA",), "fr"),
        ((None, "", "de-DE,fr;q=0.8,en;q=0.5"), "fr"),
        (("de", None), "en"),
        (("xx;;;,,,",), "en"),
        (("EN_gb",), "en"),
    ],
)
def test_the_first_wish_that_can_be_met_counts(wishes: tuple[str | None, ...], expected: str) -> None:
    assert chosen(*wishes) == expected


def test_numbers_and_money_read_as_each_language_writes_them() -> None:
    french, english = Language("fr", "FR"), Language("en", "GB")
    assert re.sub(r"\s", " ", french.percent(0.4234)) == "42,3 %"
    assert english.percent(0.4234) == "42.3%"
    assert re.sub(r"\s", " ", french.money(1234.6, "EUR")) == "1 235 €"
    assert english.money(12.5, "EUR") == "€12.50"
    assert re.sub(r"\s", " ", french.compact(12400)) == "12,4 k"


def test_a_country_without_a_locale_of_its_own_falls_back_to_the_language() -> None:
    assert Language("fr", "SE").day("2026-03-01") == "1 mars 2026"
    assert Language("fr", "ZZ").country_name("DE") == "Allemagne"


def test_counted_texts_take_the_right_form() -> None:
    french, english = Language("fr"), Language("en")
    assert french.text("posts.clicks", count=0) == "0 clic"
    assert english.text("posts.clicks", count=0) == "0 clicks"
    assert english.text("posts.clicks", count=1) == "1 click"


def test_what_people_wrote_is_escaped_inside_a_text() -> None:
    assert "<script>" not in Language("en").text("feed.hello", name="<script>")


def test_recent_moments_are_told_by_their_distance_and_others_by_their_date() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    language = Language("en", "GB", "Europe/Paris")
    assert language.ago(now - timedelta(hours=2), now) == "2 hours ago"
    assert language.ago(now - timedelta(days=30), now) == "8 Feb 2026"
    assert language.ago(now + timedelta(seconds=5), now).startswith("1 second")


def test_the_catalogues_lie_where_the_pages_look() -> None:
    assert {path.stem for path in Path(CATALOGUES).glob("*.toml")} == set(LANGUAGES)
