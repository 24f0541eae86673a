"""Which pages there are: every link of every page is followed, one address of each kind."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Page, expect

from tests.attack.doors import hub_routes
from tests.e2e.people import CheckedPage
from tests.walk.findings import Looks, findings_of

STARTS: Final = ("/", "/menu", "/me", "/join", "/nowhere-at-all")
MAIN: Final[Mapping[str, Sequence[str]]] = {
    "amina": (
        "/feed",
        "/posts",
        "/points",
        "/leaderboard",
        "/learn",
        "/learn/examples",
        "/survey",
        "/acts/events",
        "/me",
        "/join",
        "/menu",
    ),
    "emma": ("/editor", "/editor?state=retired", "/editor/new", "/editor/feeds"),
    "marc": (
        "/manage",
        "/manage/ambassadors?query=a",
        "/manage/program",
        "/manage/objectives",
        "/manage/objectives/new",
        "/manage/import",
        "/manage/history",
        "/manage/guardrails",
        "/manage/lessons",
        "/manage/lessons/new",
        "/manage/examples",
        "/manage/surveys",
        "/manage/surveys/new",
        "/manage/waves",
        "/manage/waves/new",
        "/manage/events/new",
        "/manage/newsletters/new",
        "/manage/setup",
    ),
    "ines": ("/admin/people", "/admin/audit", "/admin/deadletters"),
}
"""The pages of each role, for what is not worth a walk through all."""
LEFT_OUT: Final = re.compile(r"^/(auth|issuer|api|go|pictures)\b|/export\b|\.(csv|ics|pdf)$")
"""What is no page: files, the issuer, short links."""
NO_PAGE: Final = re.compile(
    r"^/(auth|pictures|calendar|offline|sw\.js|shell\.json|manifest)\b|/(export|live|caption|disclosure|phrase|mail)$"
    r"|\.(ics|pdf)$|^/(i|code|mails|refer|unsubscribe)\b"
)
"""Routes that are no page of somebody signed in: files, streams, pieces of pages, and what strangers are sent."""
_PASSING: Final = frozenset(("toast", "count", "of", "back", "cursor"))
_WORD: Final = re.compile(r"[a-z_]{1,20}|\d{1,3}")
_LINKS: Final = """() => [...document.querySelectorAll("a[href]")]
    .map((node) => node.getAttribute("href")).filter((one) => one.startsWith("/"))"""
EXPECTED: Final[Mapping[str, int]] = {"/nowhere-at-all": 404}


@dataclass(frozen=True, slots=True)
class Walk:
    """One way through the pages: who, in which language, on what, in which theme."""

    persona: str
    language: str
    device: str
    theme: str

    @property
    def name(self) -> str:
        return f"{self.persona}-{self.language}-{self.device}-{self.theme}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A page, and what was found on it."""

    address: str
    findings: Sequence[str]


def kind_of(address: str) -> str:
    """What addresses of one kind of page have in common: ids, words that people typed and second choices do not
    count."""
    parts = urlsplit(address)
    path = "/".join("{id}" if any(sign.isdigit() for sign in one) else one for one in parts.path.split("/"))
    query = [
        f"{name}={value if _WORD.fullmatch(value) else ''}"
        for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
        if name not in _PASSING
    ][:1]
    return "?".join(filter(None, (path, "&".join(query))))


def never_visited(addresses: Iterable[str]) -> list[str]:
    """The hub's pages of which none of these addresses is one; files and pieces of pages are none."""
    paths = [urlsplit(one).path for one in addresses]
    pages = {path for method, path in hub_routes() if method == "GET" and not NO_PAGE.search(path)}
    patterns = {path: re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))) for path in pages}
    return sorted(page for page, pattern in patterns.items() if not any(map(pattern.fullmatch, paths)))


async def follow(
    seen: CheckedPage, url: str, walk: Walk, looks: Looks, starts: Iterable[str] = STARTS
) -> AsyncIterator[Seen]:
    """Looks at every kind of page that this person reaches by links, one address each; the page stays as it was seen
    until the next is asked for."""
    waiting = deque(starts)
    kinds = {kind_of(one) for one in waiting}
    while waiting:
        address = waiting.popleft()
        found = await look_at(seen, url, address, walk, looks)
        if found is None:
            continue
        links = await seen.page.evaluate(_LINKS)
        yield found
        for link in [one.partition("#")[0] for one in links]:
            if not LEFT_OUT.search(urlsplit(link).path) and kind_of(link) not in kinds:
                kinds.add(kind_of(link))
                waiting.append(link)


async def look_at(seen: CheckedPage, url: str, address: str, walk: Walk, looks: Looks) -> Seen | None:
    """The page at an address, whole or a piece that stands alone; None for what is no page."""
    page = seen.page
    seen.complaints.clear()
    answer = await page.goto(url + address)
    assert answer is not None
    expected = EXPECTED.get(address, 200)
    if answer.status != expected:
        return Seen(address, [f"answered {answer.status}, not {expected}"])
    if "text/html" not in answer.headers.get("content-type", ""):
        return None
    policy = answer.headers.get("content-security-policy", "")
    loose = "default-src 'none'" not in policy or "unsafe" in policy
    return Seen(address, [*([f"loose policy: {policy}"] if loose else []), *await look_around(seen, walk, looks)])


async def look_around(seen: CheckedPage, walk: Walk, looks: Looks) -> list[str]:
    """What is wrong with the page as it stands, once what changed on it takes taps again."""
    await expect(seen.page.locator("[data-settling]")).to_have_count(0)
    findings = await findings_of(seen.page, walk.language, looks)
    return [*findings, *(f"console: {one}" for one in seen.complaints)]


async def speak(page: Page, url: str, language: str) -> str:
    """Turns the person to a language; the one that they had before."""
    await page.goto(f"{url}/menu")
    before = await page.locator("html").get_attribute("lang") or language
    if before != language:
        await page.locator(f'button[name=language][value="{language}"]').click()
        await expect(page.locator(f"html[lang={language}]")).to_be_attached()
    return before
