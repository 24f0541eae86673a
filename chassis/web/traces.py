"""Whose word on traces is believed."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import Span, SpanContext, get_current_span
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.telemetry.otel import extract
from chassis.web.proxies import TrustedProxies

TRACE_HEADERS: Final = frozenset((b"traceparent", b"tracestate", b"baggage"))
_LINKED: Final = "herald.foreign_trace"


class ForeignTraces:
    """Takes the trace context out of the requests of strangers: whoever could continue a trace of their choice could
    have it recorded, or lose it among others. `link_foreign_trace` links to it what begins here instead."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            said = {name: value for name, value in scope["headers"] if name in TRACE_HEADERS}
            if said and not self._proxies.trust((scope.get("client") or ("",))[0]):
                kept = [(name, value) for name, value in scope["headers"] if name not in TRACE_HEADERS]
                context = foreign_context(said.get(b"traceparent", b""))
                scope = {**scope, "headers": kept, _LINKED: context}
        await self._app(scope, receive, send)


def foreign_context(traceparent: bytes) -> SpanContext | None:
    """The span that a stranger names; None for what is no trace context."""
    context = get_current_span(extract(traceparent.decode("latin-1"))).get_span_context()
    return context if context.is_valid else None


def link_foreign_trace(span: Span, scope: Scope) -> None:
    """Link a request's span to what a stranger said that it belongs to."""
    context = scope.get(_LINKED)
    if context is not None:
        span.add_link(context)
