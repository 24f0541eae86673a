"""Which pages there are: every link of every page is followed, one address of each kind."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Page, expect

from tests.e2e.people import CheckedPage
from tests.walk.findings import Looks, findings_of

STARTS: Final = ("/", "/menu", "/me", "/join", "/nowhere-at-all")
LEFT_OUT: Final = re.compile(r"^/(auth|issuer|api|go)\b|/export\b|\.csv$")
"""What is no page: files, the issuer, short links."""
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


async def addresses_of(page: Page, url: str) -> list[str]:
    """Every kind of page that this person reaches by links, one address each, in the order in which they were found."""
    waiting, kinds, found = deque(STARTS), {kind_of(one) for one in STARTS}, []
    while waiting:
        address = waiting.popleft()
        answer = await page.goto(url + address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        found.append(address)
        for link in [one.partition("#")[0] for one in await page.evaluate(_LINKS)]:
            if not LEFT_OUT.search(urlsplit(link).path) and kind_of(link) not in kinds:
                kinds.add(kind_of(link))
                waiting.append(link)
    return found


async def look_at(seen: CheckedPage, url: str, address: str, walk: Walk, looks: Looks) -> Seen:
    """The page at an address, whole or a piece that stands alone."""
    page = seen.page
    seen.complaints.clear()
    answer = await page.goto(url + address)
    assert answer is not None
    expected = EXPECTED.get(address, 200)
    if answer.status != expected:
        return Seen(address, [f"answered {answer.status}, not {expected}"])
    policy = answer.headers.get("content-security-policy", "")
    loose = "default-src 'none'" not in policy or "unsafe" in policy
    await page.wait_for_load_state()
    found = await look_around(seen, address, walk, looks)
    return replace(found, findings=[*found.findings, f"loose policy: {policy}"]) if loose else found


async def look_around(seen: CheckedPage, address: str, walk: Walk, looks: Looks) -> Seen:
    """The page as it stands, once what changed on it takes taps again."""
    await expect(seen.page.locator("[data-settling]")).to_have_count(0)
    findings = await findings_of(seen.page, walk.language, looks)
    return Seen(address, [*findings, *(f"console: {one}" for one in seen.complaints)])
