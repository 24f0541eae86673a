"""Addresses to come back to that lead elsewhere, and hosts that a stranger names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote, urljoin, urlsplit

import ada_url
import httpx

from tests.attack.attempt import Attempt, expect
from tests.attack.target import Target

EVIL = "evil.example"
BACKS = (
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/\\/evil.example", "https://evil.example", "https:evil.example", "https:/evil.example", "http:\\\\evil.example",
    "HTTPS://evil.example", "evil.example", "@evil.example", ".evil.example", ":80@evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x",
    "/%09/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n//evil.example", "\t//evil.example",
    " //evil.example", "\x00//evil.example", "\x0b//evil.example", "/%2f/evil.example", "/%5cevil.example",
    "%2f%2fevil.example", "／／evil.example", "/／evil.example", "⁄⁄evil.example", "/.//evil.example",
    "/..//evil.example", "/feed/..//evil.example", "/;//evil.example", "?//evil.example", "#//evil.example", "",
    "/\r\nSet-Cookie: zq=1", "/\nLocation: https://evil.example", "/\u2028//evil.example", "/\u0085/evil.example",
    "/é//evil.example", "/" + "a" * 9000, "/\ud7ff", "//evil.example/%2e%2e", "//[::1]/", "//127.0.0.1:1/",
)  # fmt: skip
HOSTS = ({"host": EVIL}, {"x-forwarded-host": EVIL}, {"forwarded": f"host={EVIL}"}, {"x-original-url": f"//{EVIL}"},
         {"x-forwarded-server": EVIL}, {"host": f"{EVIL}:80"}, {"x-forwarded-proto": "javascript"})  # fmt: skip
PATHS = ("/", "/feed", "/feed/", "/menu/", "/welcome/", "/auth/sign-in", "/auth/sign-in/", "/admin/people/",
         "/api/program/v1/me/", "/api/content/v1/feed/", "/issuer/jwks/", "//evil.example", "//evil.example/..",
         "/\\evil.example", "/%2f%2fevil.example/..", "/static/", "/manage/")  # fmt: skip


async def attack(target: Target) -> AsyncIterator[Attempt]:
    backs = BACKS if target.long else BACKS[::4]
    async with target.hub("amina") as amina:
        for back in backs:
            for path in ("/language", "/program"):
                answer = await amina.post(path, {"language": "en", "program_id": target.program_id, "back": back})
                yield _stays(f"{path} back={back[:40]!r}", target, answer)
            guidelines = f"/programs/{target.program_id}/guidelines"
            page = await amina.client.get(guidelines, params={"back": back})
            harmless = EVIL not in page.text or f'value="{back}"' not in page.text
            yield expect(
                f"{guidelines} shows back={back[:40]!r}", harmless and page.status_code < 500, page.status_code
            )
    for back in backs[:: 1 if target.long else 5]:
        async with target.hub() as session:
            answer = await session.sign_in("amina", back)
            yield _stays(f"sign-in back={back[:40]!r}", target, answer)
    async for attempt in _hosts(target):
        yield attempt


async def _hosts(target: Target) -> AsyncIterator[Attempt]:
    """A stranger's `Host` and the like are in no `Location`, with or without a session."""
    async with target.hub("amina") as amina, target.client() as nobody:
        for headers in HOSTS if target.long else HOSTS[:3]:
            for client in (amina.client, nobody):
                for path in PATHS if target.long else PATHS[::2]:
                    answer = await client.get(_exactly(target, path), headers=headers)
                    yield _stays(f"{path} {headers}", target, answer)
            link = await nobody.get(urlsplit(target.short_url).path, headers=headers)
            where = link.headers.get("location", "https://www.example.com/under-attack")
            yield expect(f"a short link {headers}", where.startswith("https://www.example.com/under-attack"), where)


def _exactly(target: Target, path: str) -> httpx.URL:
    """The path as it is, without the mending that clients do."""
    return httpx.URL(target.url).copy_with(raw_path=quote(path, safe="/%\\?&=").encode())


def _stays(name: str, target: Target, answer: httpx.Response) -> Attempt:
    """Held if the browser that follows stays with Herald and its issuer, and nothing was slipped into the headers."""
    location = answer.headers.get("location")
    slipped = "zq" in answer.cookies or answer.status_code >= 500
    if location is None:
        return expect(name, not slipped, answer.status_code)
    try:
        origin = ada_url.URL(location, base=f"{target.url}/").origin
    except ValueError:
        origin = urljoin(target.url, location)
    return expect(name, origin == target.url and not slipped, f"{answer.status_code} {location}")
