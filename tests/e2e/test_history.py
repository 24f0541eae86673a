"""History from another product, by hand in a browser and by the command: previewed, taken once, marked as imported."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser import accessibility_findings
from tests.e2e.people import signed_in
from tests.e2e.stack import Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
ADDRESS = "https://www.example.com/old-plant"
DAY = (datetime.now(UTC) - timedelta(days=20)).date()
LATER = DAY + timedelta(days=2)


def files(name: str) -> dict[str, str]:
    """Five good rows and two bad ones, under ids that begin with `name`."""
    return {
        "members.csv": f"id,person,joined_at,left_at\n{name}-M,{name}@herald.example,2025-03-02,2025-09-30\n",
        "items.csv": f"id;url;title;published_at\n{name}-I;{ADDRESS}/{name};The old plant of {name};{DAY}T08:00\n",
        "posts.csv": "id,person,item,network,posted_at,clicks,likes\n"
        f"{name}-1,{name}@herald.example,{ADDRESS}/{name},linkedin,{DAY}T10:00,12,5\n"
        f"{name}-2,{name}@herald.example,{name}-I,xing,{DAY}T11:00,3,\n"
        f"{name}-3,nobody@herald.example,{name}-I,x,{DAY}T11:00,3,\n",
        "later.jsonl": f'{{"id": "{name}-E", "post": "{name}-1", "counted_at": "{LATER}", "likes": 4}}\n'
        f'{{"post": "{name}-9", "counted_at": "{DAY}", "likes": 4}}\n',
    }


async def imported_shares(stack: Stack) -> int:
    path = f"/metrics/v1/programs/{stack.program_id}/figures"
    found = (await stack.api.get("marc@herald.example", path))["figures"]
    return int(found["shares"]["imported"])


@pytest.mark.parametrize(("device", "name"), [("phone", "amina"), ("desktop", "jonas")])
async def test_a_manager_brings_history_in(browser: Browser, stack: Stack, device: str, name: str) -> None:
    before, shares = await stack.count("sharing", "posts", {}), await imported_shares(stack)
    sent = [{"name": one, "mimeType": "text/plain", "buffer": text.encode()} for one, text in files(name).items()]
    async with signed_in(browser, stack.url, "marc", device) as seen:
        page = seen.page
        for again in (False, True):
            await page.goto(f"{stack.url}/manage/history")
            assert await accessibility_findings(page) == []
            await page.locator("#source").fill(f"Old {name}")
            await page.locator("#file").set_input_files(sent)  # type: ignore[arg-type]
            await page.locator('form[action="/manage/history"] button').click()
            main = page.locator("main")
            await expect(main.locator("h1")).to_have_text("Ce que ces fichiers apporteraient", timeout=30_000)
            assert await accessibility_findings(page) == []
            await expect(main).to_contain_text("posts.csv")
            await expect(main.locator(".tag.bad", has_text="écarté")).to_have_count(2)
            if again:
                await expect(main.locator(".tag.grey", has_text="déjà connu")).to_have_count(4)
                await expect(main.locator('form[action$="/confirm"] button')).to_be_disabled()
                break
            assert await stack.count("sharing", "posts", {}) == before
            await main.locator('form[action$="/confirm"] button').click()
            await expect(main.locator("h1")).to_have_text("Importé", timeout=30_000)
        assert seen.complaints == []
    assert await stack.count("sharing", "posts", {}) == before + 2
    await eventually(lambda: imported_shares(stack), until=lambda found: found == shares + 2)
    async with signed_in(browser, stack.url, name, device) as seen:
        await seen.page.goto(f"{stack.url}/posts")
        card = seen.page.locator("li.card", has_text=f"The old plant of {name}")
        await expect(card).to_have_count(2)
        await expect(card.first).to_contain_text("Importé" if name == "amina" else "Imported")


async def test_the_command_says_what_it_would_do_and_does_it_once(stack: Stack, tmp_path: Path) -> None:
    paths = []
    for one, text in files("lea").items():
        path = tmp_path / one
        path.write_text(text)
        paths.append(str(path))
    token = await stack.api.token("marc@herald.example")

    async def run(*options: str) -> tuple[int, str]:
        command = [
            sys.executable,
            "-m",
            "herald",
            "history",
            "import",
            *paths,
            "--source",
            "by-hand",
            "--url",
            stack.url,
        ]
        child = await asyncio.create_subprocess_exec(
            *command,
            *("--program", stack.program_id, *options),
            env={**os.environ, "HERALD_TOKEN": token, "COLUMNS": "160"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode is not None
        return child.returncode, said.decode()

    before = await stack.count("sharing", "posts", {})
    status, said = await run("--preview")
    assert (status, await stack.count("sharing", "posts", {})) == (1, before), said
    assert "posts.csv, line 4: person" in said
    assert "later.jsonl, line 2: post" in said
    status, said = await run("--yes")
    assert (status, await stack.count("sharing", "posts", {})) == (1, before + 2), said
    status, said = await run("--yes")
    assert (status, await stack.count("sharing", "posts", {})) == (1, before + 2), said
    assert "would be imported" in said
