"""Lengths as the networks count them, and the addresses of their dialogs."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald_contracts.words import NETWORKS as DOCUMENTED
from services.sharing.networks import NETWORKS


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("hello", 5),
        ("é", 1),
        ("e\u0301", 1),
        ("日本", 4),
        ("🎉", 2),
        ("👩🏽‍🔬", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇫🇷", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("123", 3),
        ("https://example.com/a-very-long-path/that/goes/on/and/on", 23),
        ("see https://a.io now", 4 + 23 + 4),
        ("example.com", 23),
        ("a.b", 3),
        ("a.com", 23),
        ("https://a.io.", 23 + 1),
        ("(https://a.io/b)", 1 + 23 + 1),
        ("https://a.io/b_(c)", 23),
        ("https://a.io/日本", 23 + 4),
        ("見てhttps://a.io/bください", 4 + 23 + 8),
        ("日本a.comへ", 4 + 23 + 2),
        ("a.com?b=c", 23 + 4),
        ("a.com/?b=c", 23),
        ("me@a.com", 8),
        ("#a.com", 6),
        ("https://a.notadomain", 20),
        ("http://bücher.example.com/ü?x=1#y", 23),
        ("x.com/a, y.com", 23 + 2 + 23),
        ("“quotes”", 8),
    ],
)
def test_x_weighs(text: str, weight: int) -> None:
    assert NETWORKS["x"].length(text) == weight


def test_every_network_of_the_contract_is_offered() -> None:
    assert sorted(NETWORKS) == sorted(DOCUMENTED)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(NETWORKS)))
def test_a_dialog_carries_the_text_or_the_link(text: str, name: str) -> None:
    network = NETWORKS[name]
    url = network.dialog_url(text, "https://herald.example/l/abcd1234", "Title & more")
    if network.dialog == "share_sheet":
        assert url is None
        return
    assert url is not None
    assert url.isascii()
    values = [one for many in parse_qs(urlsplit(url).query, keep_blank_values=True).values() for one in many]
    wanted = text.replace("\n", "\r\n") if name == "email" else text
    assert (wanted if network.prefills else "https://herald.example/l/abcd1234") in values


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet="abc é", max_size=5))
def test_a_longer_text_is_not_shorter(text: str, more: str) -> None:
    for network in NETWORKS.values():
        if network.id != "x":
            assert network.length(text + more) >= network.length(text)


@pytest.mark.parametrize("text", ["日" * 60_000 + ".", "a." * 30_000, "a.com/" + "....(a)" * 8_000, "🎉" * 30_000])
def test_a_text_of_any_length_is_counted_in_time(text: str) -> None:
    began = time.process_time()
    NETWORKS["x"].length(text)
    assert time.process_time() - began < 5
