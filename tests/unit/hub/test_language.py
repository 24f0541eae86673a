"""Pages ask for texts that exist; dates and numbers are written as their readers write them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.messages import supported
from herald_contracts import words
from services import hub
from services.content.feeds.refusal import MEND_RULES
from services.hub.language import MESSAGES, Language

HUB = Path(hub.__file__).parent
KEY = re.compile(r"""(?:\bt|language\.text)\("([a-z0-9_.-]+)"[,)]""")
PREFIX = re.compile(r"""\bt\("([a-z_.]+[._])" ~|language\.text\(f"([a-z_.]+[._])\{""")
GROUP = re.compile(r"""\bw\("([a-z_]+)", """)
KNOWN = {
    "network": words.NETWORKS,
    "on": words.NETWORKS,
    "kind": words.CONTENT_KINDS,
    "category": words.CATEGORIES,
    "kpi": words.KPIS,
    "use_case": words.USE_CASES,
    "role": words.ROLES,
    "mend": MEND_RULES,
}


def test_every_text_that_a_page_asks_for_is_there_and_no_other() -> None:
    sources = [*HUB.rglob("*.html"), *HUB.rglob("*.py")]
    found = "".join(path.read_text() for path in sources)
    asked = set(KEY.findall(found))
    assert asked - MESSAGES.catalogue("en").keys() == set()
    groups = {f"{group}." for group in GROUP.findall(found)}
    families = (
        {one for either in PREFIX.findall(found) for one in either if one}
        | groups
        | {"nav.", "on.", "figure.", "refused.", "rule.", "toast.", "today.", "suggest."}
    )
    unused = {k for k in MESSAGES.catalogue("en") if k not in asked and not any(k.startswith(one) for one in families)}
    assert unused == set()


@pytest.mark.parametrize("group", sorted(KNOWN))
def test_every_known_word_has_a_text_and_an_unknown_one_is_shown_as_it_is(group: str) -> None:
    for code in ("en", "fr"):
        language = Language(code)
        assert all(language.has(f"{group}.{value}") for value in KNOWN[group])
        assert language.word(group, KNOWN[group][0]) == language.text(f"{group}.{KNOWN[group][0]}")
        assert language.word(group, "some_newer<word>") == "some newer&lt;word&gt;"


def test_one_shares_on_a_network_and_by_mail() -> None:
    french = Language("fr")
    assert french.text("share.do", where=french.on("email")) == "Partager par e-mail"
    assert french.text("share.do", where=french.on("linkedin")) == "Partager sur LinkedIn"
    assert french.on("some_newer<network>") == "sur some newer&lt;network&gt;"


def test_a_form_offers_what_is_chosen_although_it_is_not_known() -> None:
    assert Language("en").choices(words.NETWORKS, "bluesky") == [*words.NETWORKS, "bluesky"]
    assert Language("en").choices(words.NETWORKS, "x") == list(words.NETWORKS)
    assert Language("en").choices(words.NETWORKS, None) == list(words.NETWORKS)


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
    assert supported(*wishes) == expected


def test_numbers_and_money_read_as_each_language_writes_them() -> None:
    french, english = Language("fr", "FR"), Language("en", "GB")
    assert re.sub(r"\s", " ", french.percent(0.4234)) == "42,3 %"
    assert english.percent(0.4234) == "42.3%"
    assert re.sub(r"\s", " ", french.money(1234.6, "EUR")) == "1 235 €"
    assert english.money(12.5, "EUR") == "€12.50"
    assert re.sub(r"\s", " ", french.compact(12400)) == "12,4 k"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0.0, "0", "0"),
        (1000.0, "1000", "1000"),
        (0.35, "0.35", "0,35"),
        (12.5, "12.5", "12,5"),
        ("many", "many", "many"),
    ],
)
def test_a_number_stands_in_a_form_as_one_would_type_it(value: float | str, english: str, french: str) -> None:
    assert (Language("en").entry(value), Language("fr").entry(value)) == (english, french)


def test_a_country_without_a_locale_of_its_own_falls_back_to_the_language() -> None:
    assert Language("fr", "SE").day("2026-03-01") == "1 mars 2026"
    assert Language("fr", "ZZ").country_name("DE") == "Allemagne"


def test_counted_texts_take_the_right_form() -> None:
    french, english = Language("fr"), Language("en")
    assert french.text("posts.clicks", count=0) == "0 clic"
    assert english.text("posts.clicks", count=0) == "0 clicks"
    assert english.text("posts.clicks", count=1) == "1 click"


@pytest.mark.parametrize(
    ("code", "attributes"),
    [
        ("fr", ""),
        ("fr-CA", ""),
        ("en-GB", 'lang="en-GB" dir="ltr"'),
        ("ar", 'lang="ar" dir="rtl"'),
        ('"><b>', 'lang="&#34;&gt;&lt;b&gt;" dir="ltr"'),
        ("", 'dir="auto"'),
        (None, 'dir="auto"'),
    ],
)
def test_what_is_in_another_language_says_so(code: str | None, attributes: str) -> None:
    assert Language("fr").of(code) == attributes


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("count", [0, 1, 1.5, 2, 1000])
def test_every_counted_text_has_the_form_of_its_number(code: str, count: float) -> None:
    language = Language(code)
    singular = 0 <= count < 2 if code == "fr" else count == 1
    for key, forms in MESSAGES.catalogue(code).items():
        if len(forms) > 1:
            assert MESSAGES.template(language.locale, key, count) == forms[0 if singular else 1], key


def test_what_people_wrote_is_escaped_inside_a_text() -> None:
    assert Language("en").text("feed.hello", name="<script>") == "Hello &lt;script&gt;"


def test_recent_moments_are_told_by_their_distance_and_others_by_their_date() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    language = Language("en", "GB", "Europe/Paris")
    two_hours_ago = now - timedelta(hours=2)
    assert language.ago(two_hours_ago, now) == (
        f'<time datetime="{two_hours_ago}" title="10 Mar 2026, 11:00 (Paris)">2 hours ago</time>'
    )
    assert language.ago(now - timedelta(days=30), now).endswith(">8 Feb 2026</time>")
    assert language.ago(now + timedelta(seconds=5), now).striptags().startswith("1 second")
