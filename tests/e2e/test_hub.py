"""The main job, by hand, in a real browser, on a phone and at a desk."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from chassis.ids import new_id
from herald_contracts import PostRemoved, encode
from tests.bounds import bound
from tests.browser import accessibility_findings
from tests.e2e.people import DEVICES, becomes_true, confirm, signed_in
from tests.e2e.stack import Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
FIGURE_SECONDS = 15_000
SHARED_ON = {"phone": ("linkedin", "linkedin.com"), "desktop": ("facebook", "facebook.com")}
WATCHED_ON = {"phone": "email", "desktop": "x"}  # nobody of the first day shared there a moment ago


async def share_button(page: Page, network: str = "linkedin") -> None:
    """The first tap; the sheet is open when this returns."""
    await page.locator(f'[data-network="{network}"]').first.click()
    await expect(page.locator("#sheet")).to_be_visible()


@pytest.mark.parametrize("device", DEVICES)
async def test_an_ambassador_shares_in_two_taps(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "amina", device) as seen:
        page = seen.page
        title = (await page.locator("article h2").first.inner_text()).strip()
        network, host = SHARED_ON[device]
        async with page.context.expect_page() as opened:
            await share_button(page, network)
            await page.locator("[data-share]").click()
        await expect(page.locator("[data-shared]")).to_be_visible()
        dialog = await opened.value
        await dialog.wait_for_load_state()
        assert host in dialog.url
        link = await page.locator("[data-shared] code").inner_text()
        found = await stack.api.get("amina@herald.example", "/sharing/v1/posts", limit=100)
        (post,) = [one for one in found["items"] if one["short_url"] == link]
        assert (post["network"], post["title"], post["removed_at"]) == (network, title, None)
        await page.goto(f"{stack.url}/posts")
        await expect(page.locator("main h2", has_text=title).first).to_be_visible()
        assert seen.complaints == []


async def test_heartbeats_of_a_quiet_dashboard_reach_the_browser(browser: Browser, stack: Stack) -> None:
    """Proxies cut what is silent."""
    async with signed_in(browser, stack.url, "marc", "desktop") as manager:
        cookies = {one["name"]: one["value"] for one in await manager.page.context.cookies()}
        async with (
            httpx.AsyncClient(base_url=stack.url, cookies=cookies, trust_env=False, timeout=60) as client,
            client.stream("GET", "/manage/live?days=7") as answer,
        ):
            assert answer.status_code == 200
            comments = (line async for line in answer.aiter_lines() if line.startswith(":"))
            for _ in range(2):
                async with asyncio.timeout(bound(15)):
                    assert await anext(comments) == ": heartbeat"


@pytest.mark.parametrize("device", DEVICES)
async def test_a_managers_figure_moves_without_a_reload(browser: Browser, stack: Stack, device: str) -> None:
    async with (
        signed_in(browser, stack.url, "marc", device) as manager,
        signed_in(browser, stack.url, "jonas", "phone") as jonas,
    ):
        page = manager.page
        await expect(page.locator(".live.on")).to_be_visible()
        await page.evaluate("window.neverReloaded = true")
        shares = await stack.shares()
        moved = page.locator('[data-figure="shares"]')
        await expect(moved).to_have_text(str(shares), timeout=FIGURE_SECONDS)
        await share_button(jonas.page, WATCHED_ON[device])
        await jonas.page.locator("[data-share]").click()
        await expect(jonas.page.locator("[data-shared]")).to_be_visible()
        await expect(moved).to_have_text(str(shares + 1), timeout=FIGURE_SECONDS)
        assert await page.evaluate("window.neverReloaded")
        assert manager.complaints == []


@pytest.mark.parametrize("device", DEVICES)
async def test_the_sheet_and_the_details_of_things_are_accessible(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "amina", device) as seen:
        await share_button(seen.page)
        assert await accessibility_findings(seen.page) == []
        await seen.page.keyboard.press("Escape")
        await seen.page.locator("article h2 a").first.click()
        assert await accessibility_findings(seen.page) == []
    for persona, listing, link in (
        ("emma", "/editor?state=published", "main h2 a"),
        ("ines", "/admin/people", "main .list a"),
    ):
        async with signed_in(browser, stack.url, persona, device) as seen:
            await seen.page.goto(stack.url + listing)
            await seen.page.locator(link).first.click()
            await seen.page.locator("h1").wait_for()
            assert await accessibility_findings(seen.page) == []


async def test_sharing_needs_nothing_but_a_keyboard(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "lea", "desktop") as seen:
        page = seen.page
        start = page.locator('[data-network="whatsapp"]').first
        await page.locator("main").focus()
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await start.evaluate("node => node === document.activeElement"):
                break
        await expect(start).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#sheet")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#sheet")).to_be_hidden()
        await expect(start).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-share]")).to_be_focused()
        await becomes_true(page, "!document.querySelector('[data-settling]')")
        async with page.context.expect_page() as opened:
            await page.keyboard.press("Enter")
        await expect(page.locator("[data-shared]")).to_be_visible()
        dialog = await opened.value
        await dialog.wait_for_load_state()
        assert "wa.me" in dialog.url or "whatsapp" in dialog.url


async def test_a_sheet_that_opens_again_before_its_end_was_told_keeps_what_it_shows(
    browser: Browser, stack: Stack
) -> None:
    async with signed_in(browser, stack.url, "lea", "desktop") as seen:
        await share_button(seen.page, "whatsapp")
        await seen.page.evaluate(
            """async () => {
                const sheet = document.querySelector("#sheet");
                const told = new Promise((resolve) => sheet.addEventListener("close", resolve, { once: true }));
                sheet.close();
                sheet.showModal();
                await told;
            }"""
        )
        await expect(seen.page.locator("[data-share]")).to_be_visible()


async def test_a_guardrail_speaks_while_one_types_and_refuses_the_share(browser: Browser, stack: Stack) -> None:
    rules = await stack.api.call("marc@herald.example", "GET", f"/sharing/v1/programs/{stack.program_id}/guardrails")
    body = rules.json()
    forbidden = [*body["forbidden"], {"phrase": "miracle cure", "severity": "block", "suggestion": "good result"}]
    await stack.api.call(
        "marc@herald.example",
        "PUT",
        f"/sharing/v1/programs/{stack.program_id}/guardrails",
        {"disclosures": body["disclosures"], "forbidden": forbidden},
        headers={"If-Match": rules.headers["etag"]},
    )
    async with signed_in(browser, stack.url, "jonas", "phone") as seen:
        page = seen.page
        before = await stack.api.get("jonas@herald.example", "/sharing/v1/posts", limit=100)
        await share_button(page)
        await page.locator("textarea[name=caption]").fill("A miracle cure, really")
        await expect(page.locator("#check .finding.block")).to_contain_text("miracle cure")
        await expect(page.locator("[data-share]")).to_be_disabled()
        await page.locator("[data-share]").evaluate("node => { node.disabled = false; node.form.requestSubmit(node); }")
        await expect(page.locator("#sheet .notice.bad")).to_be_visible()
        after = await stack.api.get("jonas@herald.example", "/sharing/v1/posts", limit=100)
        assert len(after["items"]) == len(before["items"])
        assert await page.locator("textarea[name=caption]").input_value() == "A miracle cure, really"


async def test_the_language_is_the_persons_and_can_be_changed(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await expect(page.locator("h1")).to_have_text("Bonjour Amina")
        await page.goto(f"{stack.url}/menu")
        await page.locator('button[name=language][value="en"]').click()
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await page.goto(f"{stack.url}/feed")
        await expect(page.locator("h1")).to_have_text("Hello Amina")


async def test_a_forged_form_changes_nothing(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "desktop") as seen:
        send = seen.page.context.request.post
        for form in ({}, {"csrf": "00" * 64}):
            answer = await send(f"{stack.url}/me/privacy", form={**form, "hidden_from_rankings": "on"})
            assert answer.status == 403
        from_elsewhere = {"origin": "https://evil.example"}
        token = await seen.page.locator("body").get_attribute("data-csrf") or ""
        answer = await send(f"{stack.url}/me/privacy", form={"csrf": token}, headers=from_elsewhere)
        assert answer.status == 403
        me = await stack.api.get("amina@herald.example", "/program/v1/me")
        assert me["hidden_from_rankings"] is False
        cookies = {one["name"]: one for one in await seen.page.context.cookies()}
        session = cookies["herald_session"]
        assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")


async def test_the_last_feed_can_be_read_without_a_network(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await page.evaluate("navigator.serviceWorker.ready")
        await becomes_true(page, "navigator.serviceWorker.controller !== null")
        await page.goto(f"{stack.url}/feed")
        title = await page.locator("article h2").first.inner_text()
        await becomes_true(page, "caches.match('/feed').then(Boolean)")
        await page.context.set_offline(True)
        await page.reload()
        await expect(page.locator("article h2").first).to_have_text(title)
        await page.goto(f"{stack.url}/points")
        await expect(page.locator("h2")).to_have_text(re.compile("hors ligne|offline"))


async def test_one_is_invited_agrees_and_reads_the_guidelines_before_the_first_share(
    browser: Browser, stack: Stack
) -> None:
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/program")
        await page.locator('details:has(form[action="/manage/program"]) > summary').click()
        await page.locator("#name").fill("Second voices")
        await page.locator('form[action="/manage/program"] button').click()
        await expect(page.locator("h1")).to_have_text("Second voices")
        await page.locator('a[href="/manage/guidelines"]').click()
        await page.locator("#guidelines_fr").fill("## Parlez pour vous")
        await page.locator("#guidelines_en").fill("## Speak for yourself")
        await page.locator('form[action="/manage/guidelines"] button').click()
        await confirm(page)
        await expect(page.locator(".toast")).to_be_visible()
        await page.goto(f"{stack.url}/manage/ambassadors?query=Emma")
        await page.locator('input[name="person"]').first.check()
        await page.locator('form:has(input[name="person"]) button').click()
        await expect(page.locator("h1")).to_have_text("Inviter 1 personne à Second voices\u202f?")
        await expect(page.locator(".list")).to_contain_text("Emma Lindqvist")
        await confirm(page)
        await expect(page.locator(".list")).to_contain_text("Emma Lindqvist")
    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/join")
        await page.locator("section", has_text="Second voices").locator('form[action$="/join"] button').click()
        await page.wait_for_url("**/feed*")
        me = await stack.api.get("emma@herald.example", "/program/v1/me")
        (mine,) = [one for one in me["programs"] if one["name"] == "Second voices"]
        assert (mine["status"], mine["must_acknowledge"]) == ("joined", True)
        await page.goto(f"{stack.url}/programs/{mine['program_id']}/guidelines")
        await page.locator("form button.wide").click()
        await page.wait_for_url("**/feed*")
        me = await stack.api.get("emma@herald.example", "/program/v1/me")
        (mine,) = [one for one in me["programs"] if one["name"] == "Second voices"]
        assert mine["must_acknowledge"] is False


async def test_a_lesson_is_written_and_comes_before_a_share(browser: Browser, stack: Stack) -> None:
    """Written with a preview, required, read on a phone, answered wrongly and rightly; then the share goes on, and the
    path has its certificate."""
    lessons = f"/program/v1/programs/{stack.program_id}/lessons"
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/lessons/new")
        for code, question in (("fr", "Qui publie ?"), ("en", "Who publishes?")):
            await page.locator(f"#title_{code}").fill(f"Lesson {code}")
            await page.locator(f"#text_{code}").fill("It takes **two taps**.<script>alert(1)</script>")
            await page.locator(f"details:has(#question_{code}_0) summary").click()
            await page.locator(f"#question_{code}_0").fill(question)
            await page.locator(f"#choice_{code}_0_0").fill("Herald")
            await page.locator(f"#choice_{code}_0_1").fill("Moi")
            await page.locator(f"#explanation_{code}_0").fill("The last tap is yours.")
        await page.locator("input[name=required_for][value=share]").check()
        await page.locator("button[value=preview]").click()
        await expect(page.locator("[role=alert]").first).to_contain_text("Markdown")
        await expect(page.locator("#choice_fr_0_0")).to_have_attribute("aria-invalid", "true")
        for code in ("fr", "en"):
            await page.locator(f"#text_{code}").fill("It takes **two taps**.")
            await page.locator(f"input[name=right_{code}_0][value='1']").check()
        await page.locator("button[value=preview]").click()
        await expect(page.locator(".prose strong").first).to_have_text("two taps")
        id = page.url.split("/")[-2]
        try:
            await page.locator('form[action$="/publish"] button').click()
            await expect(page.locator("main")).to_contain_text("obligatoire")
            await confirm(page)
            await expect(page.locator(".toast")).to_be_visible()
            await page.goto(f"{stack.url}/manage/paths/new")
            await page.locator("#title_fr").fill("Le début")
            await page.locator("#title_en").fill("The beginning")
            await page.locator(".row:has(input[name=lesson]):has-text('Lesson fr') input[name=place]").fill("1")
            await page.locator("form:has(#title_fr) button").click()
            await expect(page.locator("main")).to_contain_text("Le début")
            await _learn_and_share(browser, stack)
        finally:
            await stack.api.post("marc@herald.example", f"{lessons}/{id}/retire")


async def _learn_and_share(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await share_button(page)
        await page.locator("#sheet-body a.button.wide").click()
        await expect(page.locator("h1")).to_have_text("Lesson fr")
        await page.locator("input[name=answer_0][value='0']").check()
        await page.locator("#quiz button").click()
        await expect(page.locator("#quiz .notice.warn")).to_contain_text("The last tap is yours.")
        await page.locator("input[name=answer_0][value='1']").check()
        await page.locator("#quiz button").click()
        await expect(page.locator(".notice.good")).to_be_visible()
        assert await accessibility_findings(page) == []
        await page.locator("a.button.wide").first.click()
        await expect(page.locator("#caption")).to_be_visible()
        await page.goto(f"{stack.url}/learn")
        assert await accessibility_findings(page) == []
        await page.locator('a[href$="/certificate"]').click()
        await expect(page.locator(".certificate")).to_contain_text("Amina")
        await expect(page.locator(".certificate")).to_contain_text("Le début")
        assert seen.complaints == []


async def test_a_talk_is_confirmed_and_an_event_is_checked_in_to(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as ambassador:
        page = ambassador.page
        await page.goto(f"{stack.url}/feed")
        await page.locator('main a[href="/acts"]').click()
        await page.locator("#title").fill("Twelve years of events")
        await page.locator("#link").fill("http://wiki/talk")
        await page.locator("#happened_on").fill(datetime.now(UTC).date().isoformat())
        await page.locator('form[action="/acts/expert"] button').click()
        await expect(page.locator("main")).to_contain_text("Seul un réseau interne connaît cette adresse")
        await page.locator("#link").fill("https://conference.example/talk")
        await page.locator('form[action="/acts/expert"] button').click()
        await expect(page.locator("#expert .list")).to_contain_text("Twelve years of events")
        assert await accessibility_findings(page) == []
        async with signed_in(browser, stack.url, "marc", "desktop") as manager:
            await _confirm_and_invite(manager.page, stack)
            [code] = await _codes(stack)
            assert manager.complaints == []
        await page.goto(f"{stack.url}/check-in/{code}")
        await page.locator("main form button").click()
        await expect(page.locator("main .notice")).to_contain_text("Merci d’être là")
        assert await accessibility_findings(page) == []
        await page.goto(f"{stack.url}/acts")
        await expect(page.locator("#expert .list")).to_contain_text("Confirmé")
        assert ambassador.complaints == []


async def _confirm_and_invite(page: Page, stack: Stack) -> None:
    await page.goto(f"{stack.url}/manage/acts")
    assert await accessibility_findings(page) == []
    await page.locator('form[action$="/confirm"] button').click()
    await expect(page.locator(".toast")).to_contain_text("cela compte")
    await page.goto(f"{stack.url}/manage/events/new")
    await page.locator("#title").fill("Open day")
    soon = datetime.now(ZoneInfo("Europe/Paris")).replace(tzinfo=None, microsecond=0)
    await page.locator("#starts_at").fill((soon + timedelta(minutes=10)).isoformat())
    await page.locator("#ends_at").fill((soon + timedelta(hours=2)).isoformat())
    await page.locator('form[action="/manage/events/new"] button').click()
    await expect(page.locator("input[name=everybody]")).to_have_attribute("aria-invalid", "true")
    await page.locator("input[name=everybody]").check()
    await page.locator('form[action="/manage/events/new"] button').click()
    await expect(page.locator("h1")).to_contain_text("Inviter à cet événement")
    await page.locator('form[action="/manage/events/new"] button').click()
    await expect(page.locator(".toast")).to_contain_text("invités")
    await page.locator("main .list a.through").first.click()
    await page.locator('a[href$="/poster"]').click()
    await expect(page.locator("svg.qr")).to_be_visible()
    assert await accessibility_findings(page) == []


async def _codes(stack: Stack) -> list[str]:
    found = await stack.api.get("marc@herald.example", f"/program/v1/programs/{stack.program_id}/events")
    return [one["code"] for one in found["items"]]


async def test_an_editor_writes_and_publishes(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "emma", "desktop") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/editor/new")
        await page.locator("#url").fill("https://www.example.com/lighthouse")
        await page.locator("#title_en").fill("The lighthouse project")
        await page.locator("textarea[name=caption_text]").first.fill("Light for everybody.")
        await page.locator('button[name=then][value="publish"]').click()
        await expect(page.locator("h1")).to_have_text("Publish “The lighthouse project”?")
        await expect(page.locator("main")).to_contain_text(re.compile("ambassadors? will see it"))
        await page.locator('form[action$="/publish"] button').click()
        await expect(page.locator("main")).to_contain_text("The lighthouse project")
        await page.wait_for_url("**state=published**")


async def test_a_file_of_people_is_shown_before_it_is_imported(browser: Browser, stack: Stack) -> None:
    rows = "email,name,country,team\nzoe@herald.example,Zoé Martin,FR,Sales\nbad,Nobody,XX,Sales\n"
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/import")
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        await page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
        await page.locator('form[action="/manage/import"] button').click()
        await expect(page.locator("main")).to_contain_text("Zoé Martin")
        await expect(page.locator("main")).to_contain_text("Ce n’est pas un pays")
        found = await stack.api.get("marc@herald.example", "/program/v1/people", query="zoe")
        assert found["items"] == []
        await page.locator('form[action$="/confirm"] button').click()
        await expect(page.locator("[role=status] progress")).to_be_visible()
        found = await stack.api.get("marc@herald.example", "/program/v1/people", query="zoe")
        assert [one["name"] for one in found["items"]] == ["Zoé Martin"]


@pytest.mark.parametrize("device", DEVICES)
async def test_an_administrator_looks_at_a_dead_letter_and_replays_it_by_hand(
    browser: Browser, stack: Stack, device: str
) -> None:
    event_id = new_id()
    plausible = datetime.now(UTC) + timedelta(days=1)  # gamification takes nothing that is further ahead
    removed = PostRemoved(
        post_id=new_id(),
        ambassador_id="nobody",
        program_id="nowhere",
        content_id="nothing",
        network="linkedin",
        reason="ambassador",
        occurred_at=plausible + timedelta(seconds=20),
    )
    await stack.publish(encode(removed, id=event_id, time=datetime.now(UTC)))
    applied = {"_id": event_id}
    async with signed_in(browser, stack.url, "ines", device) as seen:
        page = seen.page

        async def listed() -> int:
            await page.goto(f"{stack.url}/admin/deadletters?service=gamification&rule=occurred-at-implausible")
            return await page.locator("main .list a").count()

        await eventually(listed)
        await page.locator("main .list a").first.click()
        await page.locator("main .list a").first.wait_for()
        await page.locator("main .list a").first.click()
        await expect(page.locator("pre.record")).to_contain_text('"ambassador_id": "nobody"')
        await expect(page.locator("main")).to_contain_text(event_id)
        assert await accessibility_findings(page) == []
        replay = page.locator('form[action$="/replay"] button').first
        await replay.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("?")
        assert await accessibility_findings(page) == []
        assert await stack.count("gamification", "inbox", applied) == 0
        await eventually(lambda: passed(removed.occurred_at - timedelta(days=1)))
        await page.locator('form[action$="/replay"] button').focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".toast")).to_be_visible()
        await eventually(lambda: stack.count("gamification", "inbox", applied))
        assert await listed() == 0
        assert seen.complaints == []


async def passed(moment: datetime) -> bool:
    return datetime.now(UTC) > moment
