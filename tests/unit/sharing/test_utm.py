"""Where short links lead."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sharing.redirect.utm import slug, target_url

UTM = "utm_source=x&utm_medium=employee_advocacy&utm_campaign=p&utm_content=abcd"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", f"https://example.com?{UTM}"),
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


def test_a_header_cannot_be_injected() -> None:
    target = target_url("https://example.com/\r\nSet-Cookie: a=b", network="x", campaign="p", code="abcd")
    assert "\r" not in target
    assert "\n" not in target


@pytest.mark.parametrize(("name", "found"), [("Été 2026 !", "ete-2026"), ("日本", ""), ("A" * 90, "a" * 60)])
def test_a_slug_is_of_plain_letters(name: str, found: str) -> None:
    assert slug(name) == found
