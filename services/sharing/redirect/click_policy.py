"""Which clicks count: the policy, published in docs/guides/clicks.md.

A click is, in this order:

- ``prefetch``: the browser says that it only looks ahead (`Sec-Purpose`, `Purpose`, `X-Moz`, `X-Purpose`).
- ``bot``: a HEAD request, no user agent, or one that names itself as one of `BOTS`.
- ``self``: the visitor is the author of the post, seen in Herald the same day.
- ``repeat``: the same visitor followed the same link, and that counted, less than `REPEAT` before or after.
- ``counted``: everything else.

A visitor is a keyed hash of address, browser and day. One who objects (`Sec-GPC`, `DNT`) has none, so their clicks
are neither `self` nor `repeat`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from herald_contracts.words import Agent, Verdict

REPEAT = timedelta(hours=1)
MAX_HEADER = 512

BOTS = (
    r"bot\b|bot[/_;\d]|crawl|spider|slurp|archiver|scrap(?:er|y)",  # what calls itself so
    r"facebookexternalhit|facebookcatalog|meta-external|whatsapp/|telegrambot|viber|skypeuripreview|snapchat",
    r"linkedinbot|twitterbot|slack-|slackbot|discordbot|pinterest/|embedly|iframely|vkshare|mattermost|teams/",
    r"preview|prefetch|linkcheck|link.?check|validator|unfurl|feedfetcher|feedly|newsblur|rss|bufferbot",
    r"google-|googleother|apis-google|mediapartners|bingpreview|baidu|duckduck|yandex|qwantify|applebot|petal",
    r"gptbot|oai-|chatgpt|claude|anthropic|perplexity|bytespider|ccbot|cohere|diffbot|amazonbot|ahrefs|semrush",
    r"proofpoint|barracuda|mimecast|safelinks|urlscan|virustotal|checkpoint|zscaler|symantec|trendmicro|fireeye",
    r"headless|phantomjs|puppeteer|playwright|selenium|lighthouse|pagespeed|gtmetrix|webpagetest",
    r"pingdom|uptime|statuscake|monitor|site24x7|newrelic|datadog|nagios|zabbix|kube-probe|elb-health",
    r"curl/|wget/|httpie|libwww|python|aiohttp|httpx|urllib|go-http|okhttp|java/|apache-http|axios|node|undici",
    r"ruby|perl|php/|guzzle|dart/|libcurl|winhttp|postman|insomnia|reqwest|rest-client",
)
"""Parts of user agents (regular expressions, any case) of what is no person: crawlers, link previews of networks
and messengers, mail scanners, monitors and libraries."""

PEOPLE = (r"\bcubot\b", r"\[(?:fban|fbav|fb_iab)", r"linkedinapp", r"instagram ", r"\[pinterest/")
"""Exceptions: telephones and the browsers inside of networks' own applications, which people hold."""

_BOT = re.compile("|".join(BOTS), re.IGNORECASE)
_PERSON = re.compile("|".join(PEOPLE), re.IGNORECASE)
_LOOKS_AHEAD = ("prefetch", "prerender", "preview", "instant")


@lru_cache(maxsize=4096)
def is_bot(user_agent: str) -> bool:
    """Whether a user agent names something that is no person."""
    text = user_agent[:MAX_HEADER].strip()
    return not text or (_BOT.search(text) is not None and _PERSON.search(text) is None)


def looks_ahead(purpose: str) -> bool:
    """Whether the value of `Sec-Purpose`, `Purpose`, `X-Moz` or `X-Purpose` says that nobody looks yet."""
    value = purpose.lower()
    return any(word in value for word in _LOOKS_AHEAD)


def agent_of(method: str, user_agent: str, purpose: str) -> Agent:
    """What a request says it is."""
    if purpose and looks_ahead(purpose):
        return "prefetch"
    return "bot" if method == "HEAD" or is_bot(user_agent) else "browser"


def judge(agent: Agent, *, own: bool, at: datetime, counted: Iterable[datetime]) -> Verdict:
    """The verdict on a click at `at`, knowing whether it is the author's and when the visitor's clicks counted.

    What says that it is no browser is judged as just that, a word that this version does not know too.
    """
    if agent != "browser":
        return agent
    if own:
        return "self"
    return "repeat" if any(abs(at - other) < REPEAT for other in counted) else "counted"
