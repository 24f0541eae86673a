"""What is there to be attacked: a programme whose every text is markup, with a large and a small team, an item and a
share. Made once, found again."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

from herald.demo.api import Api

ADMIN, EDITOR, MANAGER = "ines@herald.example", "emma@herald.example", "marc@herald.example"
AMBASSADOR = "amina@herald.example"
ARRIVAL_SECONDS = 60.0
MARKUP = "\"'><x-zq a=1 onclick=zq()><script>zq()</script>{{7*1337021}}"
PRODUCT = str(7 * 1337021)
NAME = f"Attacked {MARKUP}"
LARGE, SMALL = "Attack large <x-zq>", "Attack small <x-zq>"
MARKDOWN = """\"'><x-zq a=1>{{7*1337021}}

[c](java&#10;script:zq()) ![e](x "onerror") [g](file:///zq)

```"><x-zq>
```
"""
"""What the door takes of a text: it refuses scripts, handlers and their links."""
TEAMS = {f"attack-{number}@herald.example": LARGE if number < 6 else SMALL for number in range(8)}
ADDRESS = "https://www.example.com/under-attack?a=%22%3E%3Cx-zq%3E&b='onclick=zq()"


async def prepare(api: Api) -> tuple[str, str, str]:
    """Programme, item and short link."""
    for email in (ADMIN, EDITOR, MANAGER, AMBASSADOR):
        await api.call(email, "PUT", "/program/v1/me", {})
    await _grant(api, EDITOR, "editor")
    await _grant(api, MANAGER, "manager")
    program_id = await _programme(api)
    item_id = await _item(api, program_id)
    return program_id, item_id, await _share(api, item_id)


async def _grant(api: Api, email: str, role: str) -> None:
    me = await api.get(email, "/program/v1/me")
    person = await api.call(ADMIN, "GET", f"/program/v1/people/{me['id']}")
    roles = set(person.json()["roles"])
    if role not in roles:
        change = {"roles": sorted({*roles, role} - {"ambassador"})}
        headers = {"If-Match": person.headers["etag"]}
        await api.call(ADMIN, "PATCH", f"/program/v1/people/{me['id']}", change, headers=headers)


async def _programme(api: Api) -> str:
    """An open programme of this name, which the ambassador and the teams have joined."""
    there = await api.pages(MANAGER, "/program/v1/programs", limit=100)
    found = next((one for one in there if one["name"] == NAME), None)
    if found is None:
        texts = {"en": MARKDOWN, "fr": MARKDOWN}
        order = {"name": NAME, "time_zone": "UTC", "languages": ["en", "fr"], "consent": texts, "open": True}
        found = await api.post(MANAGER, "/program/v1/programs", order)
        await api.post(MANAGER, f"/program/v1/programs/{found['id']}/guidelines", {"texts": texts, "material": False})
        await _people(api)
    for email in (AMBASSADOR, *TEAMS):
        path = f"/program/v1/programs/{found['id']}"
        await api.call(email, "PUT", "/program/v1/me", {})
        await api.post(email, f"{path}/join", {"consent_version": 1})
        await api.post(email, f"{path}/guidelines/1/acknowledge")
    return str(found["id"])


async def _people(api: Api) -> None:
    """A personnel file of the two teams, markup in every column that takes any text."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(("email", "name", "country", "team", "role", "level", "site"))
    for email, team in TEAMS.items():
        rows.writerow(
            (email, f"A {MARKUP}", "FR" if team == LARGE else "DE", team, f"J {MARKUP}", "<x-zq>", "S <x-zq>")
        )
    headers = {"Content-Type": "text/csv"}
    preview = await api.post(MANAGER, "/program/v1/imports", content=file.getvalue().encode(), headers=headers)
    path = f"/program/v1/imports/{preview['id']}"
    await api.post(MANAGER, f"{path}/confirm")
    async with asyncio.timeout(ARRIVAL_SECONDS):
        while (await api.get(MANAGER, path))["state"] != "done":
            await asyncio.sleep(0.1)


async def _item(api: Api, program_id: str) -> str:
    order = {
        "program_id": program_id,
        "kind": "article",
        "category": "company_news",
        "url": ADDRESS,
        "shareable": True,
        "variants": [{"language": one, "title": f"T {MARKUP}", "summary": f"S {MARKUP}"} for one in ("en", "fr")],
        "captions": [{"language": one, "text": f"C {MARKUP}"} for one in ("en", "fr")],
        "targeting": {"countries": [], "teams": []},
    }
    query = f"/content/v1/items?program_id={program_id}&state=published&limit=100"
    there = (await _once_known(api, EDITOR, "GET", query)).json()["items"]
    if there:
        return str(there[0]["id"])
    await _guardrails(api, program_id)
    item = (await _once_known(api, EDITOR, "POST", "/content/v1/items", order)).json()
    await api.post(EDITOR, f"/content/v1/items/{item['id']}/submit")
    await api.post(EDITOR, f"/content/v1/items/{item['id']}/reject", {"comment": MARKUP})
    await api.post(EDITOR, f"/content/v1/items/{item['id']}/submit")
    await api.post(EDITOR, f"/content/v1/items/{item['id']}/publish")
    feed = (
        f"<rss version='2.0'><channel><title><![CDATA[{MARKUP}]]></title><item><title><![CDATA[F {MARKUP}]]></title>"
        "<link>https://www.example.com/attacked</link><guid>x</guid></item></channel></rss>"
    )
    path = f"/content/v1/feeds/file?program_id={program_id}&language=en&category=sector_news"
    await api.post(EDITOR, path, content=feed.encode(), headers={"Content-Type": "application/rss+xml"})
    return str(item["id"])


async def _guardrails(api: Api, program_id: str) -> None:
    path = f"/sharing/v1/programs/{program_id}/guardrails"
    found = await _once_known(api, MANAGER, "GET", path)
    phrase = {"phrase": "zq forbidden <x-zq>", "severity": "warn", "suggestion": MARKUP, "language": "en"}
    order = {"disclosures": {"*": {"en": "#ad <x-zq>", "fr": "#ad <x-zq>"}}, "forbidden": [phrase]}
    await api.call(MANAGER, "PUT", path, order, headers={"If-Match": found.headers["etag"]})


async def _share(api: Api, item_id: str) -> str:
    posts = await api.pages(AMBASSADOR, "/sharing/v1/posts", limit=100)
    mine = [one for one in posts if one["content_id"] == item_id]
    if mine:
        return str(mine[0]["short_url"])
    order = {"content_id": item_id, "network": "linkedin", "language": "en", "caption": f"Mine. {MARKUP}"}
    return str((await _once_known(api, AMBASSADOR, "POST", "/sharing/v1/posts", order)).json()["short_url"])


async def _once_known(api: Api, who: str, method: str, path: str, json: Any = None) -> Any:
    """The answer once the service has heard of who asks and of what."""
    deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
    while True:
        late = asyncio.get_running_loop().time() > deadline
        answer = await api.call(who, method, path, json, allow=() if late else (403, 404, 409))
        if answer.is_success:
            return answer
        await asyncio.sleep(0.1)
