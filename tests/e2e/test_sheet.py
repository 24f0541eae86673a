"""The share sheet, and the way from the invitation to the first post: as few taps as can be, none of them by accident,
and every answer where it is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.e2e.contrast import contrast_findings, contrasts
from tests.e2e.people import DEVICES, becomes_true, look_at_programme, signed_in
from tests.e2e.stack import Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
MANAGER = "marc@herald.example"
READY = "!document.querySelector('[data-settling]')"
ON_TOP = """node => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return node.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""
SENT = """() => {
    window.sent = [];
    document.body.addEventListener("htmx:beforeRequest", (event) => sent.push(event.detail.pathInfo.requestPath));
}"""
HOLD = """() => {
    const timer = window.setTimeout;
    window.held = [];
    window.setTimeout = (run, after, ...given) => after === 1000 ? -held.push(run) : timer(run, after, ...given);
}"""
"""The second in which what has just come takes no tap lasts until `RELEASE`, however slow the machine is."""
RELEASE = "held.forEach((run) => run())"
NO_CLIPBOARD = "navigator.clipboard.writeText = () => Promise.reject(new Error('no'));"
CLIPBOARD = "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
SHARE_MENU = "navigator.share = async (given) => { window.given = given; };"


async def open_sheet(page: Page, network: str = "linkedin") -> None:
    """The sheet with a caption in it, ready to be tapped."""
    await page.locator(f'[data-network="{network}"]').first.click()
    await expect(page.locator("#sheet [data-share]")).to_be_visible()
    await becomes_true(page, READY)


async def posts_of(stack: Stack, persona: str) -> list[Any]:
    found = await stack.api.get(f"{persona}@herald.example", "/sharing/v1/posts", limit=100)
    return list(found["items"])


async def middle(of: Locator) -> tuple[float, float]:
    box = await of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@asynccontextmanager
async def invited(stack: Stack, persona: str) -> AsyncIterator[None]:
    """Somebody who is invited to the programme; they are out of it again afterwards."""
    who = f"{persona}@herald.example"
    person = await stack.api.get(who, "/program/v1/me")
    path = f"/program/v1/programs/{stack.program_id}"
    await stack.api.call(MANAGER, "POST", f"{path}/invitations", {"people": [person["id"]]})
    try:
        yield
    finally:
        await stack.api.call(who, "POST", f"{path}/leave", allow=(409,))


# --- nothing by accident -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
async def test_a_second_tap_takes_nothing_back(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "jonas", device) as seen:
        page = seen.page
        await open_sheet(page)
        share = page.locator("[data-share]")
        before = await share.bounding_box()
        assert before is not None
        x, y = await middle(share)
        await page.evaluate(HOLD)
        await page.mouse.click(x, y)
        await expect(page.locator("[data-shared]")).to_be_visible()
        (post, *_) = await posts_of(stack, "jonas")
        await page.evaluate(SENT)
        not_posted = page.locator("[data-not-posted]")
        for place in (await middle(not_posted), (x, y)):
            await page.mouse.click(*place)
        assert await page.evaluate("sent") == []
        await page.evaluate(RELEASE)
        await becomes_true(page, READY)
        await expect(page.locator("[data-shared]")).to_be_visible()
        after = await not_posted.bounding_box()
        assert after is not None
        assert after["y"] + after["height"] < before["y"] or after["y"] > before["y"] + before["height"]
        assert (await posts_of(stack, "jonas"))[0]["id"] == post["id"]
        assert seen.complaints == []


@pytest.mark.parametrize("device", DEVICES)
async def test_a_tap_on_what_has_just_come_is_ignored_for_a_second(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "jonas", device) as seen:
        page = seen.page
        before = len(await posts_of(stack, "jonas"))
        await page.evaluate(HOLD)
        await page.locator('[data-network="email"]').first.click()
        await page.locator("[data-share]").wait_for()
        await page.mouse.click(*(await middle(page.locator("[data-share]"))))
        await page.keyboard.press("Enter")  # the button has the focus
        await page.mouse.click(5, 5)  # beside the sheet
        await page.evaluate(RELEASE)
        await becomes_true(page, READY)
        await expect(page.locator("#sheet [data-share]")).to_be_visible()
        assert len(await posts_of(stack, "jonas")) == before


@pytest.mark.parametrize("device", DEVICES)
async def test_a_share_that_was_taken_back_can_be_restored(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "lea", device) as seen:
        page = seen.page
        await open_sheet(page, "whatsapp")
        await page.locator("textarea[name=caption]").fill(f"Bravo, {device}")
        await expect(page.locator("[data-preview]")).to_contain_text(f"Bravo, {device}")
        await page.locator("[data-share]").click()
        await page.locator("[data-not-posted]").click()
        await expect(page.locator("[data-withdrawn]")).to_be_visible()
        (post,) = [one for one in await all_posts(stack, "lea") if f"Bravo, {device}" in one["caption"]]
        assert post["removed_at"] < post["restorable_until"]  # held by the server: this page may go
        tabs = len(page.context.pages)
        await page.locator("[data-undo] button").click()
        await expect(page.locator("[data-shared]")).to_be_visible()
        assert len(page.context.pages) == tabs  # nothing is posted twice
        assert post["id"] in [one["id"] for one in await posts_of(stack, "lea")]
        await page.goto(f"{stack.url}/posts")
        await page.locator("main details summary").first.click()
        await page.locator('form[action$="/remove"] button').first.click()
        await page.locator(".toast [data-undo], .toast form button").last.click()

        async def restored() -> bool:
            return post["id"] in [one["id"] for one in await posts_of(stack, "lea")]

        await eventually(restored)
        assert seen.complaints == []


async def all_posts(stack: Stack, persona: str) -> list[Any]:
    """With those taken back, as far as the store knows."""
    me = await stack.api.get(f"{persona}@herald.example", "/program/v1/me")
    ids = await stack.ids("sharing", "posts", {"ambassador_id": me["id"]})
    who = f"{persona}@herald.example"
    return [await stack.api.get(who, f"/sharing/v1/posts/{id}") for id in ids]


async def test_other_words_are_another_post_and_the_same_are_not(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "jonas", "phone") as seen:
        page = seen.page
        before = {one["id"] for one in await posts_of(stack, "jonas")}
        for words in ("First words", "First words", "Other words"):
            await open_sheet(page, "facebook")
            await page.locator("textarea[name=caption]").fill(words)
            await page.locator("[data-share]").click()
            await expect(page.locator("[data-shared]")).to_contain_text(words)
            await page.keyboard.press("Escape")
        made = [one for one in await posts_of(stack, "jonas") if one["id"] not in before]
        assert sorted(one["caption"].partition("\n")[0] for one in made) == ["First words", "Other words"]


async def test_a_sheet_closed_as_its_content_comes_stays_closed(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "jonas", "phone") as seen:
        page = seen.page
        await page.evaluate(
            """() => {
                const sheet = document.querySelector("#sheet");
                document.body.addEventListener("htmx:afterSwap", () => sheet.close(), { once: true });
                document.body.addEventListener("htmx:afterSettle", () => { sheet.dataset.came = ""; }, { once: true });
            }"""
        )
        await page.locator('[data-network="linkedin"]').first.click()
        await expect(page.locator("#sheet[data-came]")).to_be_attached()
        await expect(page.locator("#sheet")).not_to_have_attribute("open", "")
        assert seen.complaints == []


# --- what the guardrails say ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "persona", "blocked", "better"),
    [
        ("phone", "amina", "Un rendement garanti !", "Un résultats attendus !"),
        ("desktop", "jonas", "With guaranteed returns!", "With expected results!"),
    ],
)
async def test_a_blocked_caption_is_mended_by_one_tap(
    browser: Browser, stack: Stack, device: str, persona: str, blocked: str, better: str
) -> None:
    async with signed_in(browser, stack.url, persona, device) as seen:
        page = seen.page
        await open_sheet(page)
        words, share = page.locator("textarea[name=caption]"), page.locator("[data-share]")
        await expect(page.locator("[data-preview]")).to_contain_text("/l/")  # it counts, so it is shown
        await words.fill(blocked)
        await expect(page.locator("#check .finding.block")).to_be_visible()
        await expect(share).to_be_disabled()
        await expect(page.locator("[data-preview]")).to_have_count(0)
        await page.locator("#check [name=mended]").first.click()
        await expect(words).to_have_value(better)
        await expect(page.locator("[data-preview]")).to_contain_text(better)
        await expect(share).to_be_enabled()
        assert seen.complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_a_caption_without_words_is_asked_about(browser: Browser, stack: Stack, script: bool) -> None:
    async with signed_in(browser, stack.url, "jonas", "phone", java_script_enabled=script) as seen:
        page = seen.page
        if script:
            await open_sheet(page, "x")
        else:
            await page.locator('[data-network="x"]').first.click()
        before = len(await posts_of(stack, "jonas"))
        await page.locator("textarea[name=caption]").fill(f"#{script} #IWorkHere")
        await page.locator("[data-share]").click()
        asked = page.locator("[name=wordless]")
        await asked.wait_for()
        assert len(await posts_of(stack, "jonas")) == before
        await expect(page.locator("textarea[name=caption]")).to_have_value(f"#{script} #IWorkHere")
        await asked.click()
        await expect(page.locator("[data-shared]")).to_be_visible()
        assert len(await posts_of(stack, "jonas")) == before + 1


async def test_without_a_script_a_sheet_is_a_page_with_all_that_works_and_nothing_that_does_not(
    browser: Browser, stack: Stack
) -> None:
    async with signed_in(browser, stack.url, "amina", "phone", java_script_enabled=False) as seen:
        page = seen.page
        await expect(page.locator('[data-network="device"]').first).to_be_hidden()
        await page.locator('[data-network="linkedin"]').first.click()
        await page.locator("textarea[name=caption]").fill("Un rendement garanti")
        await page.locator("[data-share]").click()
        await expect(page.locator("[data-share]")).to_be_disabled()
        await expect(page.locator("[data-preview]")).to_have_count(0)
        await page.locator("[name=mended]").click()
        await expect(page.locator("textarea[name=caption]")).to_have_value("Un résultats attendus")
        await page.locator("[data-share]").click()
        await expect(page.locator("[data-shared]")).to_be_visible()
        await expect(page.locator("[data-copy]")).to_be_hidden()
        await page.locator("[data-closes]").click()
        await expect(page.locator("[data-shared-tag]")).to_be_visible()
        await page.goto(f"{stack.url}/posts")
        await expect(page.locator("[data-copy]").first).to_be_hidden()


# --- the first five minutes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("device", "persona"), [("phone", "emma"), ("desktop", "ines")])
async def test_from_the_invitation_to_the_first_post_in_four_taps(
    browser: Browser, stack: Stack, device: str, persona: str
) -> None:
    async with (
        invited(stack, persona),
        signed_in(browser, stack.url, persona, device, color_scheme="light") as seen,
    ):
        page = seen.page
        await page.goto(stack.url)
        await page.locator(".invitation a").click()
        assert await contrast_findings(page) == []
        taps = 0

        async def tap(what: str) -> None:
            nonlocal taps
            await page.locator(what).first.click()
            taps += 1

        await tap('form[action$="/join"] button')
        await page.locator("article h2").first.wait_for()
        await tap('[data-network="linkedin"]')
        await tap("[data-acknowledge]")
        async with page.context.expect_page() as opened:
            await tap("[data-share]")
        assert taps <= 4
        dialog = await opened.value
        await dialog.wait_for_load_state()
        assert "linkedin.com" in dialog.url
        await page.bring_to_front()
        await expect(page.locator("#sheet[open] [data-shared]")).to_be_visible()
        assert "/feed" in page.url
        await page.locator("#sheet [data-closes]").click()
        await expect(page.locator("#sheet")).to_be_hidden()
        await expect(page.locator("[data-shared-tag]").first).to_be_visible()
        assert seen.complaints == []


async def test_who_left_finds_a_way_back(browser: Browser, stack: Stack) -> None:
    async with invited(stack, "emma"), signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/join")
        await page.locator('form[action$="/join"] button').first.click()
        await page.wait_for_url(lambda where: "/feed" in where)
        leave = page.locator(f'form[action="/programs/{stack.program_id}/leave"] button')
        for undone in (True, False):
            await page.goto(f"{stack.url}/me")
            await leave.click()
            await page.locator("input[name=confirmed]").wait_for(state="attached")
            await leave.click()
            await expect(page.locator(".toast [data-undo]")).to_be_visible()
            assert await standing(stack, "emma") == ("left", False)
            if undone:
                async with page.expect_navigation():
                    await page.locator(".toast [data-undo] button").click()
                assert await standing(stack, "emma") == ("joined", False)
        await page.locator(f'a[href="/programs/{stack.program_id}/join"]').click()
        await page.locator('form[action$="/join"] button').click()
        await page.wait_for_url(lambda where: "/feed" in where)
        assert await standing(stack, "emma") == ("joined", False)


async def test_one_takes_a_break_as_the_consent_promises(browser: Browser, stack: Stack) -> None:
    path = f"/program/v1/programs/{stack.program_id}/resume"
    await stack.api.call("amina@herald.example", "POST", path)
    async with signed_in(browser, stack.url, "amina", "desktop") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/menu")
        await look_at_programme(page, stack.program_id)
        for act, says in (("pause", "Vous faites une pause"), ("resume", "Vous participez")):
            await page.goto(f"{stack.url}/me")
            await page.locator(f'form[action="/programs/{stack.program_id}/{act}"] button').click()
            await expect(page.locator("main")).to_contain_text(says)

            async def said(act: str = act) -> bool:
                return await standing(stack, "amina") == ("joined", act == "pause")

            await eventually(said)
            await page.goto(f"{stack.url}/feed")
            await expect(page.locator("main .notice", has_text="pause")).to_have_count(int(act == "pause"))


async def standing(stack: Stack, persona: str) -> tuple[str, bool]:
    me = await stack.api.get(f"{persona}@herald.example", "/program/v1/me")
    (mine,) = [one for one in me["programs"] if one["program_id"] == stack.program_id]
    return mine["status"], bool(mine["paused_since"])


async def test_a_link_to_the_sheet_opens_a_dialog_that_ends_at_its_item(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "desktop") as seen:
        page = seen.page
        link = await page.locator('[data-network="whatsapp"]').first.get_attribute("href")
        await page.goto(f"{stack.url}{link}")
        await page.locator("#sheet[open] [data-share]").click()
        await expect(page.locator("#sheet[open] [data-shared]")).to_be_visible()
        await page.locator("#sheet [data-closes]").click()
        await page.locator("main [data-shared-tag]").wait_for()
        assert page.url == f"{stack.url}{str(link).partition('/share')[0]}"
        assert seen.complaints == []


# --- answers are seen ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
async def test_messages_lie_above_the_sheet(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "lea", device) as seen:
        page = seen.page
        await page.add_init_script(CLIPBOARD)
        await page.reload()
        await open_sheet(page, "whatsapp")
        await page.context.set_offline(True)
        await page.locator("[data-share]").click()
        await page.locator(".toast").wait_for()
        await eventually(lambda: page.locator(".toast").evaluate(ON_TOP))
        await page.context.set_offline(False)
        await page.locator("[data-share]").click()
        await page.locator("[data-shared] [data-copy]").click()
        await expect(page.locator(".toast")).to_have_text("Copié")
        await page.bring_to_front()
        await eventually(lambda: page.locator(".toast").evaluate(ON_TOP))
        assert "/l/" in await page.evaluate("window.copied")


async def test_nothing_is_said_to_be_copied_that_was_not(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "lea", "desktop") as seen:
        page = seen.page
        for script, copied in ((CLIPBOARD, True), (NO_CLIPBOARD, False)):
            await page.add_init_script(script)
            await page.reload()
            await open_sheet(page, "facebook")
            await page.locator("[data-share]").click()
            await expect(page.locator("[data-shared]")).to_be_visible()
            await expect(page.locator("[data-when-copied]")).to_be_visible(visible=copied)
            await expect(page.locator("[data-unless-copied]")).to_be_visible(visible=not copied)
        await page.locator("[data-shared] [data-copy]").click()
        await expect(page.locator(".toast")).to_contain_text("ne permet pas")


async def test_a_tap_is_answered_at_once_on_a_slow_line(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "jonas", "phone") as seen:
        page = seen.page
        arrives, asked = asyncio.Event(), asyncio.Event()

        async def late(route: Route) -> None:
            asked.set()
            await arrives.wait()
            await route.continue_()

        await page.route(lambda where: "/share?network=" in where, late)
        await page.locator('[data-network="x"]').first.click()
        await asked.wait()
        await expect(page.locator("#sheet[open] [data-wait]")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#sheet")).to_be_hidden()
        await page.locator('[data-network="linkedin"]').first.click()
        await expect(page.locator("#sheet[open] [data-wait]")).to_be_visible()
        arrives.set()
        await expect(page.locator("#sheet [data-share]")).to_contain_text("LinkedIn")
        await page.keyboard.press("Escape")
        await expect(page.locator("#sheet")).to_be_hidden()
        assert seen.complaints == []


async def test_the_phones_share_menu_gets_text_and_address_once(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "jonas", "phone") as seen:
        page = seen.page
        await expect(page.locator('[data-network="device"]').first).to_be_hidden()  # this browser has none
        await page.add_init_script(SHARE_MENU)
        await page.reload()
        await open_sheet(page, "device")
        await page.locator("[data-share]").click()
        await becomes_true(page, "window.given !== undefined")
        given = await page.evaluate("window.given")
        link = await page.locator("[data-shared] code").inner_text()
        assert (given["url"], link in given["text"], "#" in given["text"]) == (link, False, True)


async def test_contrast_is_measured_by_what_is_drawn(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content(
        """<body style="font: 16px sans-serif; background: linear-gradient(90deg, #fff, #000)">
        <p style="color: #000">dark on light to black</p><p style="background: #fff; color: #767676">just enough</p>
        <p style="background: #fff; color: #000; opacity: .3">faint</p><button disabled>off</button></body>"""
    )
    found = {one.text: round(one.contrast, 1) for one in await contrasts(page)}
    assert list(found) == ["dark on light to black", "just enough", "faint"]
    assert found["just enough"] == 4.5
    assert found["faint"] == pytest.approx(2.1, abs=0.2)
    assert found["dark on light to black"] < 21
    assert [one.partition(": ")[2][:2] for one in await contrast_findings(page)] == ["p "]
    await page.close()
