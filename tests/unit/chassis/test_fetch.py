"""What the guarded fetch lets through, judged before anything is connected (a unit test cannot open a socket)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.fetch import FetchRefused, GuardedFetch, embedded, is_public
from chassis.web_address import AddressRefused, parse
from tests.unit.chassis.addresses import WRITTEN

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


def wrapped(address: IPv4Address) -> list[IPv6Address]:
    """The IPv6 forms that lead to an IPv4 address."""
    number = int(address)
    return [
        IPv6Address(f"::ffff:{address}"),
        IPv6Address(f"64:ff9b::{address}"),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
    ]


@given(st.one_of(V4, V6))
def test_nothing_is_public_that_the_standard_library_knows_as_special(address: IPv4Address | IPv6Address) -> None:
    if is_public(address):
        reached = embedded(address)
        assert reached.is_global
        assert not reached.is_multicast
        assert not reached.is_reserved


@given(V4)
def test_an_ipv4_address_is_judged_alike_in_every_form(address: IPv4Address) -> None:
    for form in wrapped(address):
        assert embedded(form) == address
        assert is_public(form) == is_public(address)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.31.0.1",
        "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.19.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1", "fc00::1", "fd12::1",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:808:808::1"])
def test_ordinary_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))


def answering(*addresses: str) -> GuardedFetch:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return GuardedFetch(resolve=resolve)


async def refusal(fetch: GuardedFetch, url: str) -> str:
    with pytest.raises(FetchRefused) as caught:
        await fetch.get(url)
    return caught.value.rule


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://feeds.example/x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://feeds.example/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("feeds.example/x", "scheme"),
        ("", "url"),
        ("http://", "url"),
        ("http://...", "url"),
        ("http://xn--é.example/", "url"),
        ("http://[::1", "url"),
        ("http://feeds.example:99999/", "url"),
        ("http://feeds.example:0/", "url"),
        ("http://feeds.example\x00/", "url"),
        ("http://feeds.example/" + "a" * 3000, "url"),
        ("http://user:secret@feeds.example/", "credentials"),
    ],
)
async def test_an_address_that_is_no_plain_web_address_is_refused(url: str, rule: str) -> None:
    assert await refusal(answering("1.1.1.1"), url) == rule


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:169.254.169.254"], ["fe80::1%eth0"]]
)
async def test_a_name_with_any_private_address_is_refused(addresses: list[str]) -> None:
    assert await refusal(answering(*addresses), "https://feeds.example/") == "private-address"


async def test_the_words_of_a_refusal_do_not_tell_what_a_name_resolves_to() -> None:
    with pytest.raises(FetchRefused) as caught:
        await answering("10.11.12.13").get("http://intranet.example/secret?token=1")
    assert "10.11" not in str(caught.value)
    assert "token" not in str(caught.value)


async def test_a_name_without_an_address_is_unknown() -> None:
    assert await refusal(answering(), "http://feeds.example/") == "host-unknown"


@given(WRITTEN, WRITTEN)
@example("https://☃.example/", "//xn--n3h.example/|?[")
async def test_whatever_an_address_or_a_redirect_says_there_is_an_answer_or_a_rule(url: str, location: str) -> None:
    fetch = answering("1.1.1.1")
    asked = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            return httpx.Response(302, headers=[(b"location", location.encode("utf-8", "replace"))])
        return httpx.Response(200, stream=Body())

    fetch.__dict__["_transport"] = httpx.MockTransport(answer)
    with suppress(FetchRefused):
        assert (await fetch.get(url)).body == b"sound"
    try:
        parse(url)
    except AddressRefused:
        assert asked == []
    for request in asked:
        assert request.url.host == "1.1.1.1"
        assert request.headers["host"]


class Body(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"sound"


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), RecursionError(), AttributeError("x")])
async def test_whatever_is_raised_below_is_a_refusal(error: Exception) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise error

    assert await refusal(GuardedFetch(resolve=resolve), "https://feeds.example/") == "failed"
