"""The policy of clicks, and that what is published is what is done."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.proxies import TrustedProxies
from herald.demo.visitors import BROWSERS
from services.sharing.redirect.click_policy import (
    AT_ONCE,
    DELIVERY,
    HEAD_AROUND,
    LOOKS_AHEAD,
    MANY_LINKS,
    PURPOSES,
    REPEAT,
    Click,
    History,
    agent_of,
    judge,
)
from services.sharing.redirect.robots import ENGINES, LIST, LIST_VERSION, PEOPLE, SIGNS
from services.sharing.redirect.server import purpose_of
from services.sharing.redirect.visitors import referrer_host, visitor_of

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "clicks.md"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = bytes(range(32))


def click(seconds: float = 0, **changes: Any) -> Click:
    """A visitor's click on a link, so many seconds after noon."""
    usual: dict[str, Any] = {"code": "one", "author": "ana", "agent": "browser", "visitors": ("v",)}
    return Click(at=NOON + timedelta(seconds=seconds), **{**usual, **changes})


def verdicts(*clicks: Click, own: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """Of clicks that are judged together."""
    return judge(clicks, History(own=set(own)))[0]


def one_by_one(*clicks: Click) -> list[str]:
    """Of clicks each of which is judged when what is known of those before was kept."""
    known, found = History(), []
    for one in clicks:
        [verdict], new = judge([one], known)
        found.append(verdict)
        for pair, times in new.counted.items():
            known.counted[pair] += times
        for pair, times in new.heads.items():
            known.heads[pair] += times
        for pair, links in new.followed.items():
            known.followed[pair] += links
    return found


def test_looking_ahead_and_head_are_no_visits() -> None:
    browser = BROWSERS[0]
    assert agent_of("GET", browser, "") == "browser"
    assert agent_of("GET", browser, "prefetch;prerender") == "prefetch"
    assert agent_of("GET", "LinkedInBot/1.0", "preview") == "prefetch"
    assert agent_of("HEAD", browser, "") == "bot"


@pytest.mark.parametrize("name", PURPOSES)
@pytest.mark.parametrize(
    "value", ["prefetch", "prefetch;prerender", "Preview", "instant", "prefetch;anonymous-client-ip"]
)
def test_every_header_that_looks_ahead_is_heard(name: str, value: str) -> None:
    asked = purpose_of({name.encode(): value.encode(), b"user-agent": BROWSERS[0].encode()})
    assert agent_of("GET", BROWSERS[0], asked) == "prefetch"


@given(st.lists(st.integers(0, 6 * 3600), max_size=30), st.booleans())
def test_clicks_of_one_visitor_within_an_hour_count_once_in_any_order(seconds: list[int], together: bool) -> None:
    clicks = [click(second) for second in seconds]
    found = verdicts(*clicks) if together else one_by_one(*clicks)
    assert set(found) <= {"counted", "repeat"}
    counted = [one.at for one, verdict in zip(clicks, found, strict=True) if verdict == "counted"]
    for index, at in enumerate(counted):
        assert all(abs(at - other) >= REPEAT for other in counted[index + 1 :])
    assert all(any(abs(one.at - at) < REPEAT for at in counted) for one in clicks)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("judged", [verdicts, one_by_one])
def test_a_repeat_across_midnight_counts_once_whichever_comes_first(order: int, judged: Any) -> None:
    before = click(0, visitors=("monday",))
    after = click(1200, visitors=("tuesday", "monday"))
    later = click(1200 + 3600, visitors=("tuesday",))
    assert judged(*(before, after)[::order]) == ["counted", "repeat"]
    assert judged(before, after, later) == ["counted", "repeat", "counted"]
    assert judged(before, click(1200, visitors=("wednesday", "tuesday"))) == ["counted", "counted"]


def test_an_authors_click_is_their_own_and_a_bot_is_a_bot() -> None:
    own = (("v", "ana"),)
    assert verdicts(click(), own=own) == ["self"]
    assert verdicts(click(visitors=("tuesday", "v")), own=own) == ["self"]
    assert verdicts(click(agent="bot"), own=own) == ["bot"]
    assert verdicts(click(agent="prefetch"), own=own) == ["prefetch"]
    assert verdicts(click(author="ben"), own=own) == ["counted"]
    assert verdicts(click(agent="something-new")) == ["something-new"]


@pytest.mark.parametrize("judged", [verdicts, one_by_one])
def test_a_head_request_before_a_click_makes_it_a_scanners(judged: Any) -> None:
    assert judged(click(0, agent="bot"), click(2)) == ["bot", "scanner"]
    assert judged(click(0, agent="bot"), click(HEAD_AROUND.total_seconds())) == ["bot", "counted"]
    assert judged(click(0, agent="bot", visitors=("w",)), click(2)) == ["bot", "counted"]
    assert judged(click(0, agent="bot", code="two"), click(2)) == ["bot", "counted"]


def test_a_head_request_after_a_click_does_too_when_they_are_judged_together() -> None:
    assert verdicts(click(0), click(2, agent="bot")) == ["scanner", "bot"]


def test_what_is_opened_while_the_mail_is_on_its_way_is_a_scanners() -> None:
    seconds = DELIVERY.total_seconds()
    assert verdicts(click(3, mailed_at=NOON)) == ["scanner"]
    assert verdicts(click(3, mailed_at=NOON, visitors=())) == ["scanner"]
    assert verdicts(click(seconds, mailed_at=NOON)) == ["counted"]
    assert verdicts(click(-1, mailed_at=NOON)) == ["counted"]
    assert verdicts(click(3, mailed_at=NOON), own=(("v", "ana"),)) == ["self"]


def test_many_links_of_one_author_at_once_are_a_scanners() -> None:
    links = [click(index / 10, code=str(index)) for index in range(MANY_LINKS)]
    assert verdicts(*links) == ["scanner"] * MANY_LINKS
    assert verdicts(*links[1:]) == ["counted"] * (MANY_LINKS - 1)
    assert one_by_one(*links)[-1] == "scanner"
    of_others = [click(index / 10, code=str(index), author=str(index)) for index in range(MANY_LINKS)]
    assert verdicts(*of_others) == ["counted"] * MANY_LINKS
    slowly = [click(index * AT_ONCE.total_seconds(), code=str(index)) for index in range(MANY_LINKS)]
    assert verdicts(*slowly) == ["counted"] * MANY_LINKS


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
    assert TrustedProxies("10.0.0.0/8,::1/128").origin(peer, forwarded) == found


@given(st.text())
def test_of_a_referrer_only_a_host_is_kept(text: str) -> None:
    host = referrer_host(text)
    assert host is None or (host.isascii() and '"' not in host and "\\" not in host)


def test_a_referrers_host() -> None:
    assert referrer_host("https://user:pw@WWW.LinkedIn.com/feed/?a=b") == "www.linkedin.com"
    assert referrer_host("android-app://com.linkedin.android/") == "com.linkedin.android"


def test_the_published_policy_is_the_one_in_force() -> None:
    text = GUIDE.read_text()
    for line in (*SIGNS, *ENGINES, *PEOPLE):
        assert f"\n{line}\n" in text
    assert f"`{LIST}` {LIST_VERSION}" in text
    for word in LOOKS_AHEAD:
        assert word in text
    for name in PURPOSES:
        assert f"`{name}`" in text.lower()
    assert re.search(rf"less than {int(REPEAT.total_seconds() / 3600)} hour before or after", text)
    assert re.search(rf"`HEAD` request of the link less than {int(HEAD_AROUND.total_seconds())} seconds before", text)
    assert re.search(rf"by e-mail less than {int(DELIVERY.total_seconds())} seconds ago", text)
    assert re.search(rf"\b{MANY_LINKS} links of one author within {int(AT_ONCE.total_seconds())} seconds", text)
