"""Words in another language than the page's say so, wherever they stand: a screen reader speaks them as they are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.hub.view import mask
from tests.integration.hub.harness import EMPTY, Browser

ARABIC = "نصف الماء"
ITEM: dict[str, Any] = {
    "id": "i1",
    "program_id": "p1",
    "state": "draft",
    "version": 3,
    "category": "company_news",
    "kind": "article",
    "origin": "editor",
    "shareable": True,
    "url": "https://www.example.com/",
    "captions": [{"language": "ar", "network": None, "text": ARABIC}],
    "targeting": {"countries": [], "teams": [], "sites": ["Lyon"]},
    "variants": [{"language": "ar", "title": ARABIC, "summary": ARABIC}],
}
FINDING = {
    "rule": "forbidden-phrase",
    "severity": "block",
    "excerpt": ARABIC,
    "start": 0,
    "end": 9,
    "suggestion": "less water",
    "language": "en",
    "params": {"excerpt": ARABIC, "phrase": "half the water"},
}
CHECK = {"verdict": "blocked", "draft": ARABIC, "caption": ARABIC, "link": "https://x/l/1", "length": 9}
CHECK |= {"max_length": 3000, "findings": [FINDING]}
RULES = {
    "disclosures": {"*": {"ar": ARABIC}},
    "forbidden": [{"phrase": "half the water", "language": "en", "severity": "block", "suggestion": "less water"}],
}
PHRASE = {"phrase": "half the water", "language": "en"}
POST = {"id": "s1", "caption": ARABIC, "language": "ar", "short_url": "https://x/l/1", "dialog_url": None}
CHECKED = {"network": "linkedin", "language": "ar", "caption": ARABIC}
PAGES: list[tuple[str, dict[str, str] | None]] = [
    ("/editor", None),
    ("/editor/items/i1", None),
    ("/editor/items/i1/publish", {}),
    ("/feed/i1/check", CHECKED),
    ("/feed/i1/share", {**CHECKED, "key": "k"}),
    ("/manage/guardrails", None),
    ("/manage/guardrails/phrase?phrase=half+the+water&language=en", None),
    ("/manage/guardrails/disclosure?country=*&language=ar", None),
    ("/manage/guardrails/phrase", {**PHRASE, "language": "de", "suggestion": "less water", "severity": "warn"}),
]
WORDS = re.compile(rf"{ARABIC}|half the water|less water")
VOID = {"input", "meta", "link", "img", "br", "hr", "path", "circle", "rect", "use", "ellipse"}


def unmarked(page: str) -> list[str]:
    """Words of another language that stand where the page's language is spoken."""
    open_elements: list[tuple[str, bool]] = []
    found: list[str] = []
    for tag, text in re.findall(r"(<[^>]+>)|([^<]+)", page[page.index("<main") if "<main" in page else 0 :]):
        name = re.match(r"</?([a-z0-9]+)", tag)
        if text and (words := WORDS.search(text)) and not any(marked for _, marked in open_elements):
            found.append(words[0])
        if not name:
            continue
        if tag.startswith("</"):
            while open_elements and open_elements.pop()[0] != name[1]:
                pass
        elif name[1] not in VOID:
            open_elements.append((name[1], " lang=" in tag))
    return found


@pytest.mark.parametrize(("path", "form"), PAGES, ids=[path for path, _ in PAGES])
async def test_words_in_another_language_say_so(browser: Browser, path: str, form: dict[str, str] | None) -> None:
    browser.network.answers |= {
        **EMPTY,
        "/v1/items": {"items": [ITEM], "next": None, "total": 1},
        "/v1/items/i1": ITEM,
        "/v1/drafts/check": CHECK,
        "/v1/posts": POST,
        "/v1/programs/p1/audience": {"ambassadors": 43},
        "/v1/programs/p1/guardrails": RULES,
    }
    csrf = mask((await browser.sign_in()).csrf)
    client = browser.client
    page = await (client.get(path) if form is None else client.post(path, data={**form, "csrf": csrf}))
    assert page.status_code == 200
    assert WORDS.search(page.text), "the words are not on the page"
    assert unmarked(page.text) == []
