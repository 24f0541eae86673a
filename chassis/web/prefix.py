"""An application that also answers below a path, for fronts that hand paths on as they are.

Such as an Ingress of Kubernetes, which has no standard way to take a prefix off. What is for the inner network alone,
health and metrics, is not found below the prefix.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

INSIDE = ("/health", "/metrics")


class Prefix:
    """`app` at `/` and at `prefix`, which begins with a slash and does not end with one."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{self._prefix}/"):
            path = scope["path"][len(self._prefix) :]
            raw = scope.get("raw_path") or scope["path"].encode()
            hidden = any(path == one or path.startswith(f"{one}/") for one in INSIDE)
            # A path that no route has: the application says so in its own words.
            scope = {
                **scope,
                "path": "/-" if hidden else path,
                "raw_path": b"/-" if hidden else raw[len(self._prefix) :],
            }
        await self._app(scope, receive, send)
