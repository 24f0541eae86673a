"""Where short links lead."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web_address import MAX_LENGTH, AddressRefused
from services.sharing.redirect.utm import MAX_CAMPAIGN, slug, target_url

UTM = "utm_source=x&utm_medium=employee_advocacy&utm_campaign=p&utm_content=abcd"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", f"https://example.com/?{UTM}"),
        ("https://example.com/?", f"https://example.com/?{UTM}"),
        ("https://example.com/#", f"https://example.com/?{UTM}#"),
        ("https://example.com/a?b=1&&c=2&#d", f"https://example.com/a?b=1&&c=2&&{UTM}#d"),
        ("https://example.com/a?b=%7e'!(x)&c=+%20", f"https://example.com/a?b=%7e%27!(x)&c=+%20&{UTM}"),
        (
            "https://example.com/?utm%5Fsource=rss&utm_medium&x=utm_source&UTM_SOURCE=y&utm_id=7",
            f"https://example.com/?x=utm_source&UTM_SOURCE=y&utm_id=7&{UTM}",
        ),
        ("https://example.com/#/route?utm_source=y", f"https://example.com/?{UTM}#/route?utm_source=y"),
        ("https://straße.example/", f"https://xn--strae-oqa.example/?{UTM}"),
        ("HTTPS://Example.COM:443/x", f"https://example.com/x?{UTM}"),
        ("https://example.com/a?b=1&b=2&c#d", f"https://example.com/a?b=1&b=2&c&{UTM}#d"),
        ("https://example.com/?utm_source=rss&x=1&utm_term=t", f"https://example.com/?x=1&utm_term=t&{UTM}"),
        ("https://example.com/é?q=ü#ö", f"https://example.com/%C3%A9?q=%C3%BC&{UTM}#%C3%B6"),
        ("https://example.com/a%20b?q=%2F", f"https://example.com/a%20b?q=%2F&{UTM}"),
        ("https://bücher.example/", f"https://xn--bcher-kva.example/?{UTM}"),
        ("http://example.com:8080/x", f"http://example.com:8080/x?{UTM}"),
    ],
)
def test_a_target_keeps_what_it_had(url: str, target: str) -> None:
    assert target_url(url, network="x", campaign="p", code="abcd") == target


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(alphabet="aé%/ &=#?", max_size=9))))
def test_parameters_arrive_as_they_were(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import urlencode

    kept = [pair for pair in pairs if not pair[0].startswith("utm")]
    target = target_url(f"https://example.com/?{urlencode(kept)}", network="x", campaign="p", code="abcd")
    assert target.isascii()
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True)[: len(kept)] == kept


@pytest.mark.parametrize("url", ["", "mailto:a@example.com", "https://", "https://[/x", "https://a:99999/"])
def test_what_is_no_address_leads_nowhere(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_url(url, network="x", campaign="p", code="abcd")


def test_the_longest_address_fits_into_a_header() -> None:
    url = "https://example.com/" + "a" * (MAX_LENGTH - 20)
    assert len(url) == MAX_LENGTH
    assert len(target_url(url, network="facebook", campaign="p" * MAX_CAMPAIGN, code="c" * 32)) < 2400
    with pytest.raises(AddressRefused):
        target_url("https://example.com/" + "é" * 2000, network="x", campaign="p", code="abcd")


def test_a_header_cannot_be_injected() -> None:
    target = target_url("https://example.com/\r\nSet-Cookie: a=b", network="x", campaign="p", code="abcd")
    assert "\r" not in target
    assert "\n" not in target


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Été 2026 !", "ete-2026"),
        ("Cœur d’Æther à Tromsø, Łódź & Straße", "coeur-d-aether-a-tromso-lodz-strasse"),
        ("!?", ""),
        ("A" * 90, "a" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_a_slug_is_of_plain_letters(name: str, found: str) -> None:
    assert slug(name) == found
