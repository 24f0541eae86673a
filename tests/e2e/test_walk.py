"""The short form of `python -m tests.walk`: the pages of each role on a phone, dark and in French, and at a desk, light
and in English; and that a walk finds what it is there to find."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route

from services.hub.language import MESSAGES
from tests.e2e.people import DEVICES, CheckedPage, signed_in
from tests.e2e.stack import Stack
from tests.walk import asked
from tests.walk.findings import Looks
from tests.walk.pages import MAIN, Walk, look_at, speak

pytestmark = pytest.mark.xdist_group("e2e")
TELLING: Final = frozenset(
    ("/feed", "/points", "/join", "/editor/new", "/manage", "/manage/program", "/manage/guardrails")
)
"""Where colours meet that meet nowhere else: the contrast is measured there alone, it takes longest."""
LOOKS: Final = {True: Looks(), False: Looks(windows=0)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def survey(stack: Stack) -> AsyncIterator[None]:
    async with asked.survey(stack):
        yield


@pytest.mark.usefixtures("survey")
@pytest.mark.parametrize("persona", MAIN)
@pytest.mark.parametrize(("device", "theme", "language"), [("phone", "dark", "fr"), ("desktop", "light", "en")])
async def test_nothing_is_wrong_with_any_page(
    browser: Browser, stack: Stack, persona: str, device: str, theme: str, language: str
) -> None:
    walk = Walk(persona, language, device, theme)
    wrong: dict[str, Sequence[str]] = {}
    async with signed_in(browser, stack.url, persona, device, color_scheme=theme) as seen:
        before = await speak(seen.page, stack.url, language)
        for address in MAIN[persona]:
            found = await look_at(seen, stack.url, address, walk, LOOKS[address in TELLING])
            assert found is not None
            wrong |= {address: found.findings} if found.findings else {}
        await speak(seen.page, stack.url, before)
    assert wrong == {}


FRENCH: Final = MESSAGES.catalogue("fr")["nav.skip"][0]
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:"
STYLE = """body { background: #fff; color: #222; } .wide { width: 3000px; }
.faint { background: linear-gradient(90deg, #fff, #eee); color: #bbb; }
dialog { height: 200px; margin: 100px 0; overflow: auto; } dialog::backdrop { background: rgb(0 0 0 / .7); }
.tall { height: 900px; }"""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A page that is well but for one thing, and how a walk calls that."""

    finding: str
    body: str = ""
    html: str = '<html lang="en">'
    script: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-security-policy": POLICY})
    device: str = "desktop"


MADE_UP: Final = {
    "nothing": MadeUp("", f'<p lang="fr">{FRENCH}</p><details><summary>More</summary>It opens.</details>'),
    "nothing, scrolled out of sight": MadeUp(
        "",
        '<dialog id="box" aria-label="Box" tabindex="0"><p>Above</p><p class="tall">Below</p></dialog>',
        script="box.showModal(); box.scrollTop = 100;",
    ),
    "too wide": MadeUp("points too wide: p.wide", '<p class="wide">Wide</p>'),
    "faint on a gradient": MadeUp("contrast 1.", '<p class="faint">Faint</p>'),
    "faint on a phone": MadeUp("contrast 1.", '<p class="faint">Faint</p>', device="phone"),
    "no language": MadeUp("lang", html="<html>"),
    "another language": MadeUp("lang is “fr”, not “en”", html='<html lang="fr">'),
    "not translated": MadeUp(f"not translated: “{FRENCH}”", f"<p>{FRENCH}</p>"),
    "not translated, unseen": MadeUp("not translated", f'<button title="{FRENCH}" disabled>x</button>'),
    "a key": MadeUp("a key is shown: “nav.skip”", "<p>nav.skip</p>"),
    "console": MadeUp("console: broken", script='console.error("broken")'),
    "exception": MadeUp("console: broken", script='throw new Error("broken")'),
    "against the policy": MadeUp("console: ", '<p style="color: #000">Styled</p>'),
    "axe": MadeUp(
        "button-name", '<button id="nameless"></button>', script="nameless.onclick = () => nameless.remove()"
    ),
    "dead button": MadeUp("dead control: <button", "<button>Nothing</button>"),
    "dead link": MadeUp("dead link: Nowhere", '<a href="#nowhere">Nowhere</a>'),
    "answer": MadeUp("answered 500, not 200", status=500),
    "no policy": MadeUp("loose policy", headers={}),
}


@pytest.mark.parametrize("kind", MADE_UP)
async def test_a_walk_finds(browser: Browser, kind: str) -> None:
    made = MADE_UP[kind]
    parts = {
        "/": ("text/html", f"<!doctype html>{made.html}<title>Made up</title>"
              '<link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,"><main><h1>Made up</h1>'
              f'{made.body}</main><script src="/script.js"></script></html>'),
        "/style.css": ("text/css", STYLE),
        "/script.js": ("text/javascript", made.script),
    }  # fmt: skip

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://made.up")
        media_type, body = parts[path]
        status = made.status if path == "/" else 200
        await route.fulfill(status=status, headers=made.headers, content_type=f"{media_type}; charset=utf-8", body=body)

    context = await DEVICES[made.device](browser)
    try:
        await context.route("http://made.up/**", answer)
        page = await context.new_page()
        walk = Walk("nobody", "en", "desktop", "light")
        found = await look_at(CheckedPage(page), "http://made.up", "/", walk, Looks(press=True))
    finally:
        await context.close()
    assert found is not None
    if not made.finding:
        assert found.findings == []
        return
    assert found.findings
    assert [one for one in found.findings if made.finding not in one] == []
