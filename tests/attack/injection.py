"""Texts that would be markup: stored in every field and given in every parameter, then every page is parsed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import reduce
from urllib.parse import quote

import httpx
from lxml import etree, html

from tests.attack.attempt import Attempt, expect
from tests.attack.doors import api_operations, hub_routes, who_enters
from tests.attack.ground import MARKUP, PRODUCT
from tests.attack.scopes import address
from tests.attack.target import Target

PARAMETERS = (
    "query", "status", "state", "toast", "count", "back", "network", "caption", "language", "scope", "period", "role",
    "service", "type", "rule", "cursor", "days", "team", "source",
)  # fmt: skip
PAYLOADS = (
    MARKUP, "javascript:zq()//", "' onfocus='zq()' autofocus='", "</title><x-zq>", "--><x-zq>", "]]><x-zq>",
    "\u2028<x-zq>", "<svg/onload=zq()>", "&lt;x-zq&gt;<x-zq>", "\ufeff<x-zq>", "<x-zq\x00>", "%3Cx-zq%3E",
    "＜x-zq＞<x-zq>",
)  # fmt: skip
SCHEMES = ("javascript:", "vbscript:", "data:text", "data:application", "file:", "blob:")
ADDRESSES = (
    "href",
    "src",
    "action",
    "formaction",
    "xlink:href",
    "poster",
    "data",
    "srcset",
    "hx-get",
    "hx-post",
    "sse-connect",
)


async def attack(target: Target) -> AsyncIterator[Attempt]:
    shown = 0
    for persona in ("amina", "emma", "marc", "ines"):
        async with target.hub(persona) as session:
            await session.post("/program", {"program_id": target.program_id})
            for path in await _pages(target, session.client, persona):
                for headers in ({}, {"hx-request": "true"}):
                    async with session.client.stream("GET", path, headers=headers) as answer:
                        if "event-stream" in answer.headers.get("content-type", ""):
                            continue
                        await answer.aread()
                    shown += "x-zq" in answer.text
                    yield _parsed(f"{path} as {persona}{' in part' if headers else ''}", answer)
            async for attempt in _parameters(target, session.client, persona):
                yield attempt
    yield expect("pages on which the markup is shown as text", shown >= 10, shown)
    async for attempt in _apis(target):
        yield attempt


async def _pages(target: Target, client: httpx.AsyncClient, persona: str) -> list[str]:
    """Every page that the persona may see, with ids of what is there, and what those pages link to."""
    ids = {"{program_id}": target.program_id, "{item_id}": target.item_id, "{service}": "sharing"}
    found: dict[str, None] = {}
    for method, path in sorted(hub_routes()):
        if method == "GET" and who_enters(path) == persona and not path.startswith("/auth/"):
            url = reduce(lambda text, known: text.replace(*known), ids.items(), path)
            found[url.replace("{", "zq").replace("}", "")] = None
    for path in [one for one in found if "/live" not in one]:
        page = await client.get(path)
        if "text/html" in page.headers.get("content-type", "") and page.content:
            links = [str(one.get("href", "")) for one in html.document_fromstring(page.text).iter("a")]
            found |= dict.fromkeys(link for link in links if link.startswith("/") and "/auth/" not in link)
    return list(found) if target.long else list(found)[:12]


async def _parameters(target: Target, client: httpx.AsyncClient, persona: str) -> AsyncIterator[Attempt]:
    paths = [path for method, path in sorted(hub_routes()) if method == "GET" and who_enters(path) == persona]
    paths = [path for path in paths if not path.startswith("/auth/") and not path.endswith("/live")]
    for payload in PAYLOADS if target.long else PAYLOADS[:1]:
        for path in paths:
            url = address(target, "", path).removeprefix("/api/")
            answer = await client.get(url, params=dict.fromkeys(PARAMETERS, payload))
            yield _parsed(f"{path} with {payload[:20]!r}", answer)
    for payload in PAYLOADS:
        answer = await client.get(f"/zq/{quote(payload)}")
        yield _parsed(f"no such page {payload[:20]!r}", answer)


async def _apis(target: Target) -> AsyncIterator[Attempt]:
    """No answer of an API is read as a page."""
    token = await target.api.token("ines@herald.example")
    async with target.client(headers={"authorization": f"Bearer {token}", "accept": "text/html"}) as client:
        for service, method, path in api_operations():
            if method == "GET" and not path.endswith("/live"):
                answer = await client.get(address(target, service, path), params={"query": MARKUP, "cursor": MARKUP})
                kind = answer.headers.get("content-type", "")
                yield expect(f"{service} {path} is no page", "html" not in kind and answer.status_code < 500, kind)


def _parsed(name: str, answer: httpx.Response) -> Attempt:
    if not answer.content or "html" not in answer.headers.get("content-type", ""):
        return expect(name, answer.status_code < 500, answer.status_code)
    found = list(_foreign(answer.text))
    return expect(name, not found and answer.status_code < 500, f"{answer.status_code} {found[:3]}")


def _foreign(text: str) -> Iterator[str]:
    """What is in the page and not of Herald's making."""
    if PRODUCT in text:
        yield "a template was evaluated"
    for element in html.document_fromstring(text).iter(etree.Element):
        if "zq" in element.tag or element.tag in ("iframe", "object", "embed", "base", "applet"):
            yield element.tag
        if element.tag == "script" and (element.text or "").strip() and element.get("type") != "application/json":
            yield "a script in the page"
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            plain = "".join(sign for sign in value if ord(sign) > 32).lower()
            if name.startswith("on") or "zq" in name:
                yield f"{element.tag} {name}"
            if name in ADDRESSES and plain.startswith(SCHEMES):
                yield f"{element.tag} {name}={value}"
            if name == "srcdoc" or (name == "style" and "zq" in plain):
                yield f"{element.tag} {name}"
