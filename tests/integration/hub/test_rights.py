"""Each page and form of the hub, called as each caller: what the table of rights says is what they meet."""

from __future__ import annotations

import re

import httpx

from herald.contracts.rights import ALLOWED, PAGE, read_table
from services.hub.sessions import Session
from services.hub.view import mask
from tests.integration.hub.harness import ME, Browser

ROLES = {
    "person": [],
    "ambassador": ["ambassador"],
    "editor": ["editor"],
    "manager": ["manager"],
    "administrator": ["admin"],
}


def met(answer: httpx.Response) -> str:
    if answer.status_code == 403:
        return "403"
    if answer.status_code == 401:
        return "sign-in"
    leads = answer.headers.get("location", "")
    to_sign_in = leads.startswith("/auth/sign-in") or (leads == "/welcome" and "clear-site-data" not in answer.headers)
    return "sign-in" if to_sign_in else ALLOWED


async def signed_in(browser: Browser, session: Session | None) -> Session:
    """In this session as long as it is there: a form may have ended it."""
    if session is None or not await browser.context.sessions.holds(session):
        return await browser.sign_in()
    browser.client.cookies.set("herald_session", session.name)
    return session


async def test_each_caller_meets_what_the_table_says(browser: Browser) -> None:
    table = read_table(PAGE.read_text("utf-8"), "hub")
    assert len(table) > 50
    wrong = []
    sessions: dict[str, Session] = {}
    for (method, path), expected in table.items():
        url = re.sub(r"\{\w+\}", "x", path)
        for caller, answer in expected.items():
            browser.client.cookies.clear()
            form = {}
            if caller != "nobody":
                roles = ROLES[caller]
                programs = ME["programs"] if caller == "ambassador" else []
                browser.network.answers["/v1/me"] = {**ME, "roles": roles, "programs": programs}
                session = await signed_in(browser, sessions.get(caller))
                sessions[caller] = session
                form = {"csrf": mask(session.csrf)}
            elif method == "POST" and answer == ALLOWED:
                page = await browser.client.get(url)
                form = dict(re.findall(r'name="(csrf)" value="([^"]+)"', page.text))
            found = met(await browser.client.request(method, url, data=form if method == "POST" else None))
            if found != answer:
                wrong.append((method, path, caller, found, answer))
    assert wrong == []
