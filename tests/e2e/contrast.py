"""Contrast as it is rendered: gradients, pictures and what lies over another are measured, not computed from styles."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from playwright.async_api import Page

from tests.browser import window_picture

NORMAL, LARGE = 4.5, 3.0

_TEXTS = """() => {
    const large = (style) => {
        const size = parseFloat(style.fontSize);
        return size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    };
    const opacity = (node) => node ? Number(getComputedStyle(node).opacity) * opacity(node.parentElement) : 1;
    const cut = (node, across, along) => {
        if (!node || node === document.documentElement) return false;
        const { left, right, top, bottom } = node.getBoundingClientRect();
        const inside = across >= left && across <= right && along >= top && along <= bottom;
        return !inside && getComputedStyle(node).overflow !== "visible" || cut(node.parentElement, across, along);
    };
    const shown = (node, { x, y, width, height }) => [[.5, .5], [.05, .1], [.95, .1], [.05, .9], [.95, .9]].every(
        ([right, down]) => {
            const [across, along] = [x + width * right, y + height * down];
            const top = document.elementFromPoint(across, along);
            return top && (node === top || node.contains(top) || top.contains(node)) && !cut(node, across, along);
        });
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, node = text.parentElement;
        if (!text.data.trim() || node.closest("[disabled], [aria-disabled=true], script, style, template")) continue;
        const style = getComputedStyle(node);
        if (style.visibility !== "visible") continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 2 && box.height > 2
            && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth
            && shown(node, box)).map(({ x, y, width, height }) => [x, y, width, height]);
        const name = node.tagName.toLowerCase() + [...node.classList].map((one) => "." + one).join("");
        if (boxes.length) found.push({
            text: text.data.trim().slice(0, 60), name, boxes, large: large(style),
            color: style.color, opacity: opacity(node),
        });
    }
    return found;
}"""
"""Of each line of text in the window with nothing over it: its place, whether it is large (WCAG 1.4.3), its colour.
What is scrolled out of its box is not seen, even where the box takes the taps: a modal dialog takes those beside it."""

_STILL = """async () => {
    const moving = () => document.getAnimations().filter((one) => one.playState !== "finished"
        && one.effect.getComputedTiming().endTime !== Infinity);
    do {
        for (const one of moving()) one.finish();
        await new Promise((resolve) => requestAnimationFrame(resolve));
    } while (moving().length);
}"""
"""Ends what moves, and what begins to move with the next frame."""

_HIDE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::placeholder { -webkit-text-fill-color: transparent !important; }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
_SHOW = """() => { document.adoptedStyleSheets = document.adoptedStyleSheets.slice(0, -1); }"""

_MEASURE = """async ([written, bare, texts]) => {
    const pixels = async (png) => {
        const image = new Image();
        image.src = "data:image/png;base64," + png;
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height);
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(image, 0, 0);
        return context;
    };
    const linear = (value) => value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const ratio = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const [front, back] = [await pixels(written), await pixels(bare)];
    const scale = front.canvas.width / innerWidth;
    return texts.map(({ boxes, color, opacity }) => {
        const [r, g, b, alpha = 1] = (color.match(/[\\d.]+/g) || []).map(Number);
        const styled = (ground) => [r, g, b].map((one, i) => one * alpha * opacity + ground[i] * (1 - alpha * opacity));
        let strongest = 0, ink = null;
        const grounds = [];
        for (const [x, y, width, height] of boxes) {
            const area = [x, y, width, height].map((one) => Math.round(one * scale));
            const [text, ground] = [front, back].map((one) => one.getImageData(...area).data);
            for (let at = 0; at < text.length; at += 4) {
                const [over, under] = [text, ground].map((one) => [one[at], one[at + 1], one[at + 2]]);
                const away = Math.max(...over.map((one, i) => Math.abs(one - under[i])));
                if (away < 8) continue;
                grounds.push(under);
                if (away > strongest) { strongest = away; ink = over; }
            }
        }
        // Thin letters are blended with what is behind them: the colour that the style says is what they are drawn in.
        return ink && grounds.reduce(
            (least, ground) => Math.min(least, Math.max(ratio(ink, ground), ratio(styled(ground), ground))), 21);
    });
}"""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text with its least contrast, from 1 to 21, and the contrast that it needs."""

    text: str
    name: str
    contrast: float
    needed: float


async def contrasts(page: Page) -> list[Text]:
    """Of every text that can be seen in the window now. What is disabled is left out, as WCAG does."""
    await page.evaluate(_STILL)
    texts = await page.evaluate(_TEXTS)
    written = await window_picture(page)
    await page.evaluate(_HIDE)
    bare = await window_picture(page)
    await page.evaluate(_SHOW)
    pictures = [base64.b64encode(one).decode() for one in (written, bare)]
    found = await page.evaluate(_MEASURE, [*pictures, texts])
    return [
        Text(one["text"], one["name"], contrast, LARGE if one["large"] else NORMAL)
        for one, contrast in zip(texts, found, strict=True)
        if contrast is not None
    ]


async def contrast_findings(page: Page, windows: int = 1) -> list[str]:
    """Text that is hard to read where it stands, window by window from the top; of one window, as the page stands."""
    height = await page.evaluate("innerHeight")
    found: dict[str, None] = {}
    for number in range(windows):
        if number:
            if await page.evaluate("document.documentElement.scrollHeight") <= number * height:
                break
            await page.evaluate(f"scrollTo(0, {number * height})")
        for text in await contrasts(page):
            if text.contrast < text.needed:
                found[f"contrast {text.contrast:.1f} of {text.needed}: {text.name} “{text.text}”"] = None
    if windows > 1:
        await page.evaluate("scrollTo(0, 0)")
    return list(found)
