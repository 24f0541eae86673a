"""What is looked at on a page, whatever page it is. Each function gives findings as text; none where all is well."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from playwright.async_api import Page

from chassis.messages import LANGUAGES
from services.hub.language import MESSAGES
from tests.browser import accessibility_findings
from tests.e2e.contrast import contrast_findings

LONGEST_WAIT: Final = 2_000
"""Milliseconds within which a control has to do something."""

_WIDE = """() => {
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over <= 0) return [];
    const scrolls = (node) => node && node !== document.documentElement
        && (getComputedStyle(node).overflowX !== "visible" || scrolls(node.parentElement));
    const widest = [...document.body.querySelectorAll("*")]
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !scrolls(node.parentElement))
        .map((node) => node.tagName.toLowerCase() + [...node.classList].map((one) => "." + one).join(""));
    return [`${over} points too wide: ${[...new Set(widest)].slice(0, 4).join(", ")}`];
}"""

_TEXTS = """() => {
    const own = document.documentElement.lang;
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!node || node.closest("script, style, template, noscript, code, pre, textarea, [translate=no]")) continue;
        if ((node.closest("[lang]")?.lang ?? "") !== own) continue;
        const text = walker.currentNode.data.replace(/\\s+/g, " ").trim();
        if (text) found.add(text);
    }
    for (const node of document.querySelectorAll("[aria-label], [placeholder], [title]")) {
        if ((node.closest("[lang]")?.lang ?? "") !== own) continue;
        for (const name of ["aria-label", "placeholder", "title"]) {
            const text = (node.getAttribute(name) || "").replace(/\\s+/g, " ").trim();
            if (text) found.add(text);
        }
    }
    return [document.title, ...found];
}"""
"""What the page says in its own language: what is marked as another language is left out."""

_DEAD_LINKS = """() => [...document.querySelectorAll("a")]
    .filter((node) => node.checkVisibility())
    .filter((node) => {
        const href = node.getAttribute("href");
        if (!href || href === "#") return true;
        return href.startsWith("#") && !document.getElementById(href.slice(1));
    })
    .map((node) => `dead link: ${(node.textContent || "").trim().slice(0, 40) || node.outerHTML.slice(0, 80)}`)"""

_BUTTONS = """() => [...document.querySelectorAll("button, [role=button], summary")]
    .filter((node) => node.checkVisibility() && !node.disabled && !node.form)
    .map((node, index) => { node.dataset.walked = index; return [String(index), node.outerHTML.slice(0, 100)]; })"""
"""Buttons that send no form: each must do something by itself."""

_PRESS = """([button, wait]) => new Promise((resolve) => {
    const done = (moved) => { watcher.disconnect(); resolve(moved); };
    const watcher = new MutationObserver(() => done(true));
    watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(() => done(false), wait);
    button.click();
})"""


@dataclass(frozen=True, slots=True)
class Looks:
    """How much is looked at: contrast down the whole page or in its first window, and whether buttons are pressed."""

    windows: int = 1
    press: bool = False


async def findings_of(page: Page, language: str, looks: Looks) -> list[str]:
    """Everything that is wrong with the page as it stands."""
    return [
        *await page.evaluate(_WIDE),
        *await language_findings(page, language),
        *await page.evaluate(_DEAD_LINKS),
        *await accessibility_findings(page),
        *await contrast_findings(page, looks.windows),
        *(await button_findings(page) if looks.press else []),
    ]


async def language_findings(page: Page, language: str) -> list[str]:
    """The page's language, and texts of another language's catalogue, or keys of ours, that stand in it."""
    said = await page.evaluate("document.documentElement.lang")
    found = [] if said == language else [f"lang is “{said}”, not “{language}”"]
    for text in await page.evaluate(_TEXTS):
        if text in _foreign(language) - _own(language):
            found.append(f"not translated: “{text}”")
        elif text in MESSAGES.catalogue("en"):
            found.append(f"a key is shown: “{text}”")
    return found


@cache
def _own(language: str) -> frozenset[str]:
    return _any_of(language)


@cache
def _foreign(language: str) -> frozenset[str]:
    return _any_of(*(other for other in LANGUAGES if other != language))


def _any_of(*languages: str) -> frozenset[str]:
    """The texts of the catalogues that stand on pages as they are."""
    texts = {
        " ".join(form.split()) for one in languages for forms in MESSAGES.catalogue(one).values() for form in forms
    }
    return frozenset(one for one in texts if "{" not in one and " " in one)


async def button_findings(page: Page) -> list[str]:
    """Buttons outside of forms that do nothing when they are pressed."""
    found = []
    for index, markup in await page.evaluate(_BUTTONS):
        button = page.locator(f'[data-walked="{index}"]')
        if not await button.is_visible():
            continue
        if not await page.evaluate(_PRESS, [await button.element_handle(), LONGEST_WAIT]):
            found.append(f"dead control: {markup}")
        await page.keyboard.press("Escape")
    return found
