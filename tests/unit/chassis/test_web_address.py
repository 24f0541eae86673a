"""One rule for what a web address is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.web_address import MAX_LENGTH, Address, AddressRefused, find, parse, shown_host
from tests.unit.chassis.addresses import WRITTEN

ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://www.example.com/a", "https://www.example.com/a"),
        ("https://www.example.com", "https://www.example.com/"),
        (" HTTPS://WWW.Example.COM/A ", "https://www.example.com/A"),
        ("https://straße.example", "https://xn--strae-oqa.example/"),
        ("https://zürich.example/é?q=ö#ü", "https://xn--zrich-kva.example/%C3%A9?q=%C3%B6#%C3%BC"),
        ("https://xn--zrich-kva.example/", "https://xn--zrich-kva.example/"),
        ("https://☃.example/", "https://xn--n3h.example/"),
        ("https://example。com/", "https://example.com/"),
        ("https://a.example:443/", "https://a.example/"),
        ("https://a.example:8443/", "https://a.example:8443/"),
        ("https://a.example./", "https://a.example./"),
        ("https://my_site.example/", "https://my_site.example/"),
        ("https://intranet/news", "https://intranet/news"),
        ("http://192.168.1.10:8080/", "http://192.168.1.10:8080/"),
        ("https://[2001:DB8::1]/x", "https://[2001:db8::1]/x"),
        ("https://a.example/?a&&b=&c=%20#", "https://a.example/?a&&b=&c=%20#"),
        ("https://a.example/?#", "https://a.example/?#"),
        ("https://a.example/~x/(1);v=2,3*!'$/@:", "https://a.example/~x/(1);v=2,3*!'$/@:"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/\u202e\x07/", "https://a.example/%E2%80%AE%07/"),
    ],
)
def test_is_kept_as_the_standard_serialises_it(written: str, kept: str) -> None:
    assert parse(written).href == kept
    assert ADDRESS.validate_python(written) == kept


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", "blank"),
        (" \n", "blank"),
        ("www.example.com/news", "scheme"),
        ("//www.example.com/news", "scheme"),
        ("ftp://www.example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("mailto:a@b.example", "scheme"),
        ("https://ann@a.example/", "credentials"),
        ("https://:secret@a.example/", "credentials"),
        ("https://", "host"),
        ("https:///", "host"),
        ("https://...", "host"),
        ("https://-", "host"),
        ("https://-a.example", "host"),
        ("https://a-.example", "host"),
        ("https://a..example", "host"),
        ("https://.example", "host"),
        ("https://[/x", "host"),
        ("https://[::g]/", "host"),
        ("https://[::]/", "host"),
        ("https://[ff02::1]/", "host"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://a b.example/", "host"),
        ("https://a*b.example/", "host"),
        ("https://a,b.example/", "host"),
        ("https://xn--é.example/", "host"),
        ("https://xn--a.example/", "host"),
        ("https://xn--.example/", "host"),
        ("https://\u200d.example/", "host"),
        ("https://1", "host"),
        ("https://0", "host"),
        ("https://256.1.1.1/", "host"),
        ("https://239.1.1.1/", "host"),
        ("https://a.\ud800/", "host"),
        (f"https://{'a' * 64}.example/", "host"),
        (f"https://{'a.' * 127}example/", "host"),
        ("https://a.example:0/", "port"),
        ("https://a.example:65536/", "port"),
        ("https://a.example:99999/", "port"),
        ("https://a.example:8o/", "port"),
        ("https://a.example:-1/", "port"),
        ("https://a.example/" + "é" * 2000, "too-long"),
        ("https://a.example/" + "a" * MAX_LENGTH, "too-long"),
        ("https://a.example/" + "\t" * 100_000, "too-long"),
    ],
)
def test_what_is_none_is_refused_by_a_rule_in_a_sentence(written: str, rule: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse(written)
    assert refused.value.rule == rule
    assert refused.value.detail.endswith(".")
    assert find(written) is None
    assert shown_host(written) == ""
    with pytest.raises(ValidationError) as invalid:
        ADDRESS.validate_python(written)
    assert [(one["type"].replace("_", "-"), one["msg"]) for one in invalid.value.errors()] == [
        (rule, refused.value.detail)
    ]


def test_the_longest_address_is_as_long_as_a_header_may_hold() -> None:
    address = "https://a.example/" + "é" * 338
    assert len(parse(address).href) == MAX_LENGTH - 2
    with pytest.raises(AddressRefused):
        parse(address + "é")


@given(WRITTEN)
def test_any_text_is_an_address_that_any_header_holds_or_is_refused(written: str) -> None:
    try:
        address = parse(written)
    except AddressRefused:
        return
    assert address.href.isascii()
    assert address.href.isprintable()
    assert " " not in address.href
    assert len(address.href) <= MAX_LENGTH
    assert address.href.startswith(("http://", "https://"))
    assert 0 < address.port < 65536
    assert parse(address.href) == address


@given(WRITTEN, st.sampled_from(["https://a.example/b/c?d#e", "nonsense"]))
def test_what_others_wrote_is_read_without_an_error(written: str, base: str) -> None:
    found = find(written, base)
    assert found is None or found == parse(found.href)
    shown_host(written)


@pytest.mark.parametrize(
    ("address", "query", "fragment", "replaced"),
    [
        ("https://a.example/x", None, None, "https://a.example/x?u=1"),
        ("https://a.example/x?", "", None, "https://a.example/x?u=1"),
        ("https://a.example/x?a&&b=#", "a&&b=", "", "https://a.example/x?u=1#"),
        ("https://a.example/x#y?z", None, "y?z", "https://a.example/x?u=1#y?z"),
        ("https://a.example/x?y#z#?", "y", "z#?", "https://a.example/x?u=1#z#?"),
    ],
)
def test_query_and_fragment_are_taken_apart(
    address: str, query: str | None, fragment: str | None, replaced: str
) -> None:
    found = parse(address)
    assert (found.query, found.fragment) == (query, fragment)
    assert found.with_query("u=1") == replaced
    assert found.with_query(query) == found.href
    assert found.without_fragment() == address.partition("#")[0]


@pytest.mark.parametrize(
    ("address", "authority", "target"),
    [
        ("https://a.example", "a.example", "/"),
        ("https://a.example:443/", "a.example", "/"),
        ("http://a.example:443/x?y#z", "a.example:443", "/x?y"),
        ("https://[2001:db8::1]:8443/é?#", "[2001:db8::1]:8443", "/%C3%A9?"),
        ("https://a.example/http://a.example/|[]", "a.example", "/http://a.example/|[]"),
    ],
)
def test_says_what_a_request_sends(address: str, authority: str, target: str) -> None:
    found = parse(address)
    assert (found.authority, found.target) == (authority, target)


@pytest.mark.parametrize(
    ("written", "base", "kept"),
    [
        ("../d", "https://a.example/b/c", "https://a.example/d"),
        ("//b.example/", "http://a.example/", "http://b.example/"),
        ("?q", "https://a.example/b#c", "https://a.example/b?q"),
        ("", "https://a.example/b", "https://a.example/b"),
    ],
)
def test_is_resolved_against_where_it_stood(written: str, base: str, kept: str) -> None:
    assert parse(written, base).href == kept


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.example.com/x", "example.com"),
        ("https://xn--strae-oqa.example/", "straße.example"),
        ("https://[2001:db8::1]:8443/", "[2001:db8::1]"),
        ("https://www./", "www."),
        ("https://[/x", ""),
        (None, ""),
    ],
)
def test_the_host_is_shown_as_people_read_it(address: str | None, host: str) -> None:
    assert shown_host(address) == host
