"""Verdicts on captions: the disclosure stays, findings explain themselves and propose what mends."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Invalid
from services.sharing.domain.guardrails import (
    ForbiddenPhrase,
    Guardrails,
    Verdict,
    change_guardrails,
    compose,
    default_guardrails,
    disclose,
    mend,
    review,
)
from services.sharing.networks import NETWORKS

RULES = default_guardrails("p1")
LINK = "https://herald.example/l/Ab3dE6gH"
networks = st.sampled_from(sorted(NETWORKS))
FRAGMENTS = (
    *("guaranteed returns", "strictly confidential", "usage interne", "ana@example.com", "+33 6 12 34 56 78", "🎉"),
    *("Bonjour", "#Werbung", "revolutionary", "\u202e", "\n\n", "example.com", "é" * 40),
)
captions = st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=60).map(" ".join)


def judged(caption: str, network: str = "linkedin", country: str = "FR", rules: Guardrails = RULES) -> Verdict:
    return review(caption, rules, network=NETWORKS[network], country=country, language="en", link=LINK)


@given(captions, networks, st.sampled_from(["DE", "FR", "GB", "JP"]))
def test_editing_cannot_remove_the_disclosure(caption: str, network: str, country: str) -> None:
    disclosure = RULES.disclosure(country, "en")
    lines = compose(caption, disclosure, LINK).split("\n")
    assert lines[-1] == LINK
    text = "\n".join(lines[:-1])
    assert text.casefold().startswith(disclosure.casefold()) or text.casefold().endswith(disclosure.casefold())
    assert disclose(judged(caption, network, country).caption, disclosure) == disclose(caption, disclosure)


@pytest.mark.parametrize("hidden", ["#Werbungen", "x#Werbung", "#W\u0336erbung", "a #Werbung b"])
def test_a_disclosure_that_nobody_sees_does_not_count(hidden: str) -> None:
    assert disclose(f"Hallo {hidden}", "#Werbung").endswith("\n\n#Werbung")


@pytest.mark.parametrize("said", ["Hallo #Werbung", "#werbung Hallo", "Hallo\n#WERBUNG", "#Werbung"])
def test_a_disclosure_that_is_there_is_not_repeated(said: str) -> None:
    assert disclose(said, "#Werbung") == said


def test_what_nobody_sees_is_taken_out() -> None:
    assert disclose("a\u202eb\u2066c\x07d\r\ne", "#Ad") == "abcd\ne\n\n#Ad"
    assert disclose("Hallo #W\u200berbung", "#Werbung") == "Hallo #Werbung"


@given(captions, networks)
def test_suggestions_mend_what_is_blocked(caption: str, network: str) -> None:
    for _ in range(80):
        verdict = judged(caption, network)
        if not verdict.blocked:
            break
        caption = mend(caption, [one for one in verdict.findings if one.severity == "block"])
    assert not judged(caption, network).blocked
    assert judged(caption, network).length <= NETWORKS[network].max_length


@pytest.mark.parametrize("one", ["👩🏽‍🚀", "🇫🇷", "n\u0323\u0307", "\u1100\u1161\u11a8"])
def test_too_long_is_cut_between_graphemes(one: str) -> None:
    for before in ("", "a", "ab", "abc"):
        finding = next(f for f in judged(before + one * 400, "x").findings if f.rule == "too-long")
        assert (finding.start - len(before)) % len(one) == 0
        assert finding.excerpt == one * (len(finding.excerpt) // len(one))


@given(captions, networks)
def test_findings_say_where_and_why(caption: str, network: str) -> None:
    verdict = judged(caption, network)
    for one in verdict.findings:
        assert 0 <= one.start <= one.end <= len(caption)
        assert one.rule == "too-long" or one.excerpt == caption[one.start : one.end]
        assert one.detail
    assert verdict.blocked == any(one.severity == "block" for one in verdict.findings)


def test_a_finding_has_what_a_sentence_about_it_needs() -> None:
    [phrase] = judged("guaranteed returns").findings
    assert phrase.params == {"excerpt": "guaranteed returns", "phrase": "guaranteed returns"}
    long = next(one for one in judged("x " * 400, "x").findings if one.rule == "too-long")
    assert long.params["over"] == int(long.params["length"]) - NETWORKS["x"].max_length


def test_personal_data_is_a_warning() -> None:
    verdict = judged("Write to ana.b@example.co.uk or call 06 12 34 56 78. In 2026, 40 000 m2, 12/03/2026.")
    assert [(one.rule, one.severity, one.excerpt) for one in verdict.findings] == [
        ("email-address", "warn", "ana.b@example.co.uk"),
        ("phone-number", "warn", "06 12 34 56 78"),
    ]
    assert not verdict.blocked


@pytest.mark.parametrize("piece", ["0", "+33 6 ", "a@", "é ", "A", ". "])
def test_the_longest_caption_costs_less_than_five_seconds(piece: str) -> None:
    text = piece * (NETWORKS["facebook"].max_length // len(piece))
    began = time.process_time()
    judged(text, "facebook")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("country", "language", "wanted"),
    [
        ("DE", "de", "#Werbung"),
        ("DE", "de-AT", "#Werbung"),
        ("JP", "fr", "#JyTravaille"),
        ("JP", "ja", "#IWorkHere"),
        ("CH", "it", "#Ad #IWorkHere"),
    ],
)
def test_the_disclosure_is_the_countrys_in_the_captions_language(country: str, language: str, wanted: str) -> None:
    assert RULES.disclosure(country, language) == wanted


@given(
    st.dictionaries(
        st.sampled_from(["FR", "DE", "*"]),
        st.dictionaries(st.sampled_from(["fr", "de"]), st.just("#A"), min_size=1),
        min_size=1,
    )
)
def test_there_is_always_a_disclosure(disclosures: dict[str, dict[str, str]]) -> None:
    rules = Guardrails("p1", 1, {"*": {"fr": "#B"}, **disclosures}, ())
    assert rules.disclosure("US", "en")
    assert rules.disclosure("FR", "xx")


def test_wrong_rules_are_refused_by_field() -> None:
    with pytest.raises(Invalid) as refused:
        change_guardrails(
            RULES,
            {"fr": {"fr": "#A"}, "DE": {"de": " #A"}},
            [ForbiddenPhrase("…"), ForbiddenPhrase("bad word"), ForbiddenPhrase("x", suggestion="a bad words")],
        )
    assert {(one.field, one.rule) for one in refused.value.errors} == {
        ("disclosures.*", "required"),
        ("disclosures.fr", "country"),
        ("disclosures.DE.de", "text"),
        ("forbidden.0.phrase", "words"),
        ("forbidden.2.suggestion", "forbidden"),
    }


def test_the_defaults_would_be_accepted() -> None:
    assert change_guardrails(RULES, RULES.disclosures, RULES.forbidden).version == 2
