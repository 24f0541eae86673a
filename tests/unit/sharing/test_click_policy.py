"""The policy of clicks, and that what is published is what is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald.demo.visitors import BOTS as DEMO_BOTS
from herald.demo.visitors import BROWSERS
from services.sharing.redirect.click_policy import (
    BOTS,
    PEOPLE,
    REPEAT,
    agent_of,
    is_bot,
    judge,
)
from services.sharing.redirect.visitors import Proxies, referrer_host, visitor_of

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "clicks.md"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = bytes(range(32))


@pytest.mark.parametrize(
    "agent",
    [
        *DEMO_BOTS,
        "",
        "  ",
        "curl/8.5.0",
        "python-requests/2.32",
        "WhatsApp/2.23.20.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "TelegramBot (like TwitterBot)",
        "Microsoft Office/16.0 SafeLinks",
    ],
)
def test_what_is_no_person(agent: str) -> None:
    assert is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        *BROWSERS,
        "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) AppleWebKit/605 Mobile/15E148 [LinkedInApp]/9.30",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) Mobile/15E148 Instagram 350.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    ],
)
def test_who_is_a_person(agent: str) -> None:
    assert not is_bot(agent)


def test_looking_ahead_and_head_are_no_visits() -> None:
    browser = BROWSERS[0]
    assert agent_of("GET", browser, "") == "browser"
    assert agent_of("GET", browser, "prefetch;prerender") == "prefetch"
    assert agent_of("GET", "LinkedInBot/1.0", "preview") == "prefetch"
    assert agent_of("HEAD", browser, "") == "bot"


@given(st.lists(st.integers(0, 6 * 3600), max_size=30))
def test_clicks_of_one_visitor_within_an_hour_count_once_in_any_order(seconds: list[int]) -> None:
    counted: list[datetime] = []
    for second in seconds:
        at = NOON + timedelta(seconds=second)
        if judge("browser", own=False, at=at, counted=counted) == "counted":
            counted.append(at)
    assert all(abs(one - other) >= REPEAT for one in counted for other in counted if one is not other)
    for second in seconds:
        at = NOON + timedelta(seconds=second)
        assert any(abs(at - one) < REPEAT for one in counted)


def test_an_authors_click_is_their_own_and_a_bot_is_a_bot() -> None:
    assert judge("browser", own=True, at=NOON, counted=[]) == "self"
    assert judge("bot", own=True, at=NOON, counted=[]) == "bot"
    assert judge("prefetch", own=False, at=NOON, counted=[NOON]) == "prefetch"


def test_an_agent_of_a_newer_version_counts_as_what_it_says_it_is() -> None:
    assert judge("scanner", own=True, at=NOON, counted=[]) == "scanner"


def test_a_visitor_is_one_for_a_day_and_a_browser() -> None:
    day = "2026-11-23"
    first = visitor_of(KEY, "203.0.113.9", "A", day)
    assert len(first) == 32
    assert first == visitor_of(KEY, "::ffff:203.0.113.9", "A", day)
    others = {
        visitor_of(KEY, "203.0.113.9", "A", "2026-11-24"),
        visitor_of(KEY, "203.0.113.9", "B", day),
        visitor_of(KEY, "203.0.113.8", "A", day),
        visitor_of(bytes(32), "203.0.113.9", "A", day),
    }
    assert first not in others
    assert len(others) == 4
    assert visitor_of(KEY, "2001:db8::1", "A", day) == visitor_of(KEY, "2001:db8::ffff:2", "A", day)
    assert visitor_of(KEY, "2001:db8:0:1::1", "A", day) != visitor_of(KEY, "2001:db8::1", "A", day)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_forwarded_addresses_are_believed_up_to_the_first_stranger(peer: str, forwarded: str, found: str) -> None:
    assert Proxies("10.0.0.0/8,::1/128").origin(peer, forwarded) == found


@given(st.text())
def test_of_a_referrer_only_a_host_is_kept(text: str) -> None:
    host = referrer_host(text)
    assert host is None or (host.isascii() and '"' not in host and "\\" not in host)


def test_a_referrers_host() -> None:
    assert referrer_host("https://user:pw@WWW.LinkedIn.com/feed/?a=b") == "www.linkedin.com"
    assert referrer_host("android-app://com.linkedin.android/") == "com.linkedin.android"


def test_the_published_policy_is_the_one_in_force() -> None:
    text = GUIDE.read_text()
    for line in (*BOTS, *PEOPLE):
        assert line in text
    assert f"{int(REPEAT.total_seconds() / 3600)} hour" in text
