"""Robots and people by their user agents; the whole lists are in tests/corpora/robots.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from herald.demo.visitors import BOTS as DEMO_BOTS
from herald.demo.visitors import BROWSERS
from services.sharing.redirect.robots import ENGINES, MAX_AGENT, is_robot

BROWSER = re.compile("|".join(ENGINES), re.IGNORECASE)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    "agent",
    [
        *DEMO_BOTS,
        "",
        "  ",
        BROWSERS[0] + "x" * MAX_AGENT,
        "curl/8.5.0",
        "python-requests/2.32",
        "okhttp/4.9",
        "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B)",
        "Bluesky Cardyb/1.1; +mailto:support@bsky.app",
        "Mastodon/4.3.0 (http.rb/5.2.0; +https://mastodon.example/)",
        "gotosocial/0.17",
        "Lemmy/0.19",
        "WhatsApp/2.23.20.0",
        "Snapchat/10.77.0.54 (Android; gzip)",
        "Viber",
        "DuckDuckBot/1.1",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "TelegramBot (like TwitterBot)",
        "Microsoft Office/16.0 SafeLinks",
        PHONE.format("CUBOT X70; compatible; Googlebot/2.1"),
        BROWSERS[2] + " (compatible; NeverHeardOf/1.0)",
        BROWSERS[2] + " NeverHeardOf/1.0 (+https://never.example)",
        BROWSERS[2] + " NeverHeardOf/1.0 (someone@never.example)",
        "NeverHeardOf/1.0",
    ],
)
def test_what_is_no_person(agent: str) -> None:
    assert is_robot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        *BROWSERS,
        f"{ANDROID} DuckDuckGo/5",
        f"{IPHONE} Version/18.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
        f"{ANDROID} baiduboxapp/13.60.0.10 (Baidu; P1 14)",
        BROWSERS[2] + " BIDUBrowser/8.7",
        f"{ANDROID} Snapchat/12.95.0.47 (SM-S918B; Android 14#S918B; gzip)",
        f"{IPHONE} Mobile/15E148 Snapchat/13.12.0.48 (like Safari/8620.1.16, panda)",
        f"{ANDROID} Viber/24.1.0.0",
        f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/480.0;FBCR/Vodafone.de;FBLC/de_DE]",
        f"{IPHONE} Mobile/15E148 Instagram 350.0.0.18.92 (iPhone15,2; iOS 18_1; fr_FR)",
        f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.30",
        f"{ANDROID} [Pinterest/Android]",
        f"{IPHONE} Mobile/15E148 Safari Line/14.18.0",
        f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1 (Ecosia ios@11.0.1.2000)",
        f"{ANDROID} YandexSearch/23.104 YandexSearchBrowser/23.104",
        PHONE.format("CUBOT X70"),
        PHONE.format("CUBOT_P20"),
        PHONE.format("CUBOT_NOTE_S Build/MRA58K"),
        PHONE.format("M bot 60 Build/NRD90M"),
        PHONE.format("Spider 8"),
        PHONE.format("HTC Butterfly Build/JDQ39"),
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    ],
)
def test_who_is_a_person(agent: str) -> None:
    assert not is_robot(agent)


@given(st.text() | st.sampled_from(BROWSERS).map(lambda agent: re.sub(BROWSER, "", agent)))
def test_whatever_names_no_browser_is_no_person(agent: str) -> None:
    assume(not BROWSER.search(agent))
    assert is_robot(agent)
