"""Forms that did not come from a page of the session: without its token, with another's, from another site."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from tests.attack.attempt import Attempt, expect
from tests.attack.doors import hub_routes, who_enters
from tests.attack.target import Target
from tests.hub_session import HubSession

STRANGE_TOKENS = {"empty": "", "zeros": "00" * 64, "no hexadecimal": "zz" * 32, "odd": "abc", "umlauts": "é" * 64,
                  "a list": "[]", "very long": "ab" * 20_000}  # fmt: skip
ELSEWHERE = (
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ""}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:1"},
    {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
)  # fmt: skip


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """Each form of the hub in each way; the session's own token passes the guard."""
    for persona in ("amina", "emma", "marc", "ines"):
        async with target.hub(persona) as victim, target.hub(persona) as other:
            foreign, masked = await other.csrf(), await victim.csrf()
            forms = [path for method, path in sorted(hub_routes()) if method == "POST" and who_enters(path) == persona]
            for path in forms if target.long else forms[:1]:
                url = path.replace("{", "").replace("}", "")
                async for attempt in _form(victim, url, masked, foreign):
                    yield attempt
    async for attempt in _after_a_new_sign_in(target):
        yield attempt
    async with target.client() as nobody:
        answer = await nobody.post("/me/privacy", data={"csrf": "00" * 64})
        yield expect(
            "without a session", answer.status_code in (303, 401, 403) and _to_sign_in(answer), answer.status_code
        )


async def _form(victim: HubSession, url: str, masked: str, foreign: str) -> AsyncIterator[Attempt]:
    send = victim.client.post
    yield _forged(f"{url}: no token", await send(url, data={"x": "1"}))
    yield _forged(f"{url}: token in the address", await send(url, params={"csrf": masked}, data={"x": "1"}))
    yield _forged(f"{url}: JSON", await send(url, json={"csrf": masked}))
    yield _forged(
        f"{url}: plain text", await send(url, content=f"csrf={masked}", headers={"content-type": "text/plain"})
    )
    for name, token in {"another session's": foreign, **STRANGE_TOKENS}.items():
        yield _forged(f"{url}: token {name}", await send(url, data={"csrf": token}))
    for headers in ELSEWHERE:
        yield _forged(f"{url}: {headers}", await send(url, data={"csrf": masked}, headers=headers))
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await victim.client.request(method, url, params={"csrf": masked, "_method": "POST"})
        yield expect(f"{url}: {method}", answer.status_code not in (201, 204) and not _done(answer), answer.status_code)
    if url != "/auth/sign-out":
        own = await send(url, data={"csrf": masked})
        yield expect(f"{url}: its own token", own.status_code < 500 and own.status_code != 403, own.status_code)


async def _after_a_new_sign_in(target: Target) -> AsyncIterator[Attempt]:
    """The token of the session before is of no use in the next one, nor after the sign-out."""
    async with target.hub("jonas") as session:
        old = await session.csrf()
        before = dict(session.client.cookies)
        await session.sign_in("jonas")
        yield _forged("the token before a new sign-in", await session.client.post("/me/privacy", data={"csrf": old}))
        yield expect("a sign-in gives a new session", dict(session.client.cookies) != before, "cookie")
        token, cookies = await session.csrf(), dict(session.client.cookies)
        await session.post("/auth/sign-out")
    async with target.client(cookies=cookies) as thief:
        answer = await thief.post("/me/privacy", data={"csrf": token})
        yield expect("a session after its sign-out", _to_sign_in(answer), answer.status_code)


def _forged(name: str, answer: httpx.Response) -> Attempt:
    return expect(name, answer.status_code in (403, 413), answer.status_code)


def _done(answer: httpx.Response) -> bool:
    return answer.status_code == 303 and "toast=" in answer.headers.get("location", "")


def _to_sign_in(answer: httpx.Response) -> bool:
    location = answer.headers.get("location", "")
    return answer.status_code in (401, 403) or location.startswith(("/welcome", "/auth/sign-in"))
