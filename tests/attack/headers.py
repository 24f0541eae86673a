"""What answers say to browsers, and what requests may not talk Herald into."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from tests.attack.attempt import Attempt, expect
from tests.attack.doors import SERVICES, hub_routes, who_enters
from tests.attack.target import Target

POLICY = {
    "content-security-policy": ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
    "x-content-type-options": ("nosniff",),
    "referrer-policy": ("same-origin",),
    "cross-origin-opener-policy": ("same-origin",),
}
CROSS_ORIGIN = {"origin": "https://evil.example", "access-control-request-method": "POST",
                "access-control-request-headers": "authorization"}  # fmt: skip
ODD: tuple[dict[str, str], ...] = (
    {"accept-language": "fr;q=" + "9" * 9000}, {"accept-language": "a," * 5000}, {"accept": "*" * 9000},
    {"range": "bytes=0-1,0-1" * 500}, {"if-none-match": '"' * 5000}, {"if-modified-since": "yesterday"},
    {"traceparent": "00-" + "f" * 900}, {"tracestate": "a=b," * 900},
    {"traceparent": "ff-00000000000000000000000000000000-0000000000000000-01"}, {"herald-after": "x," * 5000},
    {"expect": "200-ok"}, {"x-http-method-override": "DELETE"}, {"x-method-override": "POST"},
    {"x-rewrite-url": "/admin/people"}, {"cookie": "=;;=;\x7f"}, {"cookie": "herald_session=" + "%" * 3000},
    {"herald_session": "x"}, {"user-agent": "a" * 20_000}, {"content-type": "x" * 9000},
    {"hx-request": "true", "hx-current-url": "javascript:1"}, {"upgrade": "websocket", "connection": "upgrade"},
    {"te": "trailers"}, {"connection": "close, authorization"}, {"accept-encoding": "gzip;q=nan, br;q=" + "9" * 900},
    {"content-language": "\xff"},
)  # fmt: skip


async def attack(target: Target) -> AsyncIterator[Attempt]:
    for persona in ("amina", "emma", "marc", "ines"):
        async with target.hub(persona) as session:
            pages = [path for method, path in sorted(hub_routes()) if method == "GET" and who_enters(path) == persona]
            for path in pages:
                if "live" not in path and not path.startswith("/auth/"):
                    answer = await session.client.get(path.replace("{", "").replace("}", ""))
                    yield _policy(f"the policy of {path}", answer)
    async with target.client() as nobody:
        for path in ("/zqzqzq", "/feed/zq/zq/zq", "/static/x/y", "/auth/callback?state=x", "/%00", "/me"):
            yield _policy(f"the policy of {path}", await nobody.get(path))
        async for attempt in _cookies(target):
            yield attempt
        async for attempt in _elsewhere(target, nobody):
            yield attempt
        for headers in ODD:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            for path in ("/welcome", "/api/program/v1/me"):
                answer = await nobody.get(path, headers=raw)
                yield expect(f"{path} {str(headers)[:50]}", answer.status_code < 500, answer.status_code)


def _policy(name: str, answer: httpx.Response) -> Attempt:
    missing = [
        header for header, words in POLICY.items() for word in words if word not in answer.headers.get(header, "")
    ]
    unsafe = "unsafe-" in answer.headers.get("content-security-policy", "")
    twice = [header for header in POLICY if len(answer.headers.get_list(header)) > 1]
    return expect(
        name,
        answer.status_code < 500 and not missing and not unsafe and not twice,
        f"{answer.status_code} {missing}{twice}",
    )


async def _cookies(target: Target) -> AsyncIterator[Attempt]:
    async with target.hub() as session:
        answer = await session.sign_in("amina")
        said = next(one for one in answer.headers.get_list("set-cookie") if "herald_session" in one).lower()
        yield expect("the session's cookie", all(word in said for word in ("httponly", "samesite=lax", "path=/")), said)
        page = await session.client.get("/me")
        yield expect(
            "pages of a person are kept nowhere",
            "no-store" in page.headers["cache-control"],
            page.headers["cache-control"],
        )
        names = {cookie.value for cookie in session.client.cookies.jar}
        yield expect(
            "a page does not show the session",
            not any(one and one in page.text for one in names if len(one or "") > 16),
            "",
        )


async def _elsewhere(target: Target, nobody: httpx.AsyncClient) -> AsyncIterator[Attempt]:
    """No other site reads an answer."""
    token = {"authorization": f"Bearer {await target.api.token('amina@herald.example')}"}
    for path in ("/me", *(f"/api/{service}/v1/me" for service in SERVICES)):
        for method in ("OPTIONS", "GET"):
            answer = await nobody.request(method, path, headers={**CROSS_ORIGIN, **token})
            yield expect(
                f"{method} {path} for another site",
                "access-control-allow-origin" not in answer.headers,
                answer.status_code,
            )
    answer = await nobody.get("/api/program/v1/me", headers=token)
    yield expect(
        "an API's answer on a person is kept nowhere",
        "no-store" in answer.headers.get("cache-control", ""),
        dict(answer.headers),
    )
