"""The one way out to addresses that somebody else chose: feeds, link previews, webhooks.

A server that fetches what it is told to can be made to reach what only it can reach. So each hop is resolved
once, every address of it is judged, and the connection goes to the judged address, with the name kept for
TLS and `Host`. Size (as sent and unpacked) and time are limited; there are no cookies, no connection is kept,
and the environment's proxies are not used.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.trace import SpanKind, StatusCode

from chassis.authorities import https_context
from chassis.web_address import AddressRefused, WebAddress, parse

logger = logging.getLogger(__name__)
Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MEBIBYTE: Final = 1024 * 1024
MAX_REDIRECTS: Final = 5
CONNECT_TIMEOUT: Final = 5.0
ATTEMPTS: Final = 3
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
USER_AGENT: Final = "herald-fetch/1"

# IANA's registries of special-purpose addresses. Of IPv6 only 2000::/3 is given out as global unicast, so
# what is public there is said instead, with its exceptions.
# fmt: off
_SPECIAL_V4: Final = tuple(map(ip_network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)))
_GLOBAL_V6: Final = ip_network("2000::/3")
_SPECIAL_V6: Final = tuple(map(ip_network, (
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20",
)))
# fmt: on
_NAT64: Final = ip_network("64:ff9b::/96")


class FetchRefused(Exception):
    """It was not fetched; `rule` is a stable word, `status` what the server answered, if it did, and `retry_after` its
    header of that name.

    Rules: ``url``, ``scheme``, ``credentials``, ``host-unknown``, ``private-address``, ``redirects``,
    ``connection``, ``timeout``, ``status``, ``encoding``, ``too-large``, ``failed``.
    """

    def __init__(self, rule: str, detail: str, *, status: int | None = None, retry_after: str | None = None) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    @property
    def params(self) -> dict[str, int]:
        """Of the rule `status`: what the server answered."""
        return {"status": self.status} if self.rule == "status" and self.status is not None else {}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: status 2xx or 304, the address that gave it, header names in lower case, body unpacked."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def unchanged(self) -> bool:
        """True if the server says that what we have is current."""
        return self.status == 304


def embedded(address: Address) -> Address:
    """The IPv4 address that a mapped, NAT64 or 6to4 IPv6 address leads to; any other address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """True if the address is one of the public Internet, whatever form it is written in."""
    address = embedded(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver, best first. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class _Allowed:
    """Private hosts and networks that an installation lets us reach."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._hosts: set[str] = set()
        self._networks = []
        for entry in filter(None, (text.strip().lower() for text in entries)):
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._hosts.add(entry)

    def host(self, name: str) -> bool:
        return name.rstrip(".").lower() in self._hosts

    def address(self, address: Address) -> bool:
        return any(address in network or embedded(address) in network for network in self._networks)


class GuardedFetch:
    """Gets what a URL names, or says which rule forbids it.

    `allow` names hosts and networks (CIDR) that may be reached although they are private. `proxy` is the
    address of an HTTP proxy for installations whose only way out it is: names are then the proxy's to
    resolve, and only what resolves here too is judged here.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
        tracer: trace.Tracer | None = None,
    ) -> None:
        self._allowed = _Allowed(allow)
        self._proxy = proxy
        self._tls = tls
        self._resolve = resolve
        self._tracer = tracer or trace.NoOpTracer()

    @cached_property
    def _transport(self) -> httpx.AsyncHTTPTransport:
        # A kept connection is looked up by address alone, and would serve a name that its certificate was
        # never checked for.
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
        tls = self._tls or https_context()
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits, proxy=self._proxy)

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = "*/*",
        max_bytes: int = 5 * MEBIBYTE,
        timeout: float = 10.0,
    ) -> Fetched:
        """The resource at `url`: at most `max_bytes`, as sent and as unpacked, in `timeout` seconds for all.

        With `etag` or `last_modified` (as the server gave them) the answer may be 304 with no body. Raises
        FetchRefused, and nothing else.
        """
        headers = {"user-agent": USER_AGENT, "accept": accept, "accept-encoding": "gzip"}
        known = {"if-none-match": etag, "if-modified-since": last_modified}
        headers |= {name: value for name, value in known.items() if value and value.isascii() and value.isprintable()}
        with self._tracer.start_as_current_span(
            "GET", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as span:
            span.set_attribute("http.request.method", "GET")
            try:
                return await self._only_refused(url, headers, max_bytes, timeout, span)
            except FetchRefused as refusal:
                span.set_attribute("error.type", refusal.rule)
                span.set_status(StatusCode.ERROR)
                raise

    async def _only_refused(
        self, url: str, headers: dict[str, str], max_bytes: int, seconds: float, span: trace.Span
    ) -> Fetched:
        """What no address and no answer should make the libraries below raise is a refusal all the same: whoever
        writes a feed or names its address chooses what they are given."""
        try:
            return await self._limited(_parsed(url), headers, max_bytes, seconds, span)
        except FetchRefused:
            raise
        except Exception as error:
            logger.exception("a fetch failed in a way that it should not")
            raise FetchRefused("failed", f"It could not be fetched ({type(error).__name__}).") from error

    async def _limited(
        self, address: WebAddress, headers: dict[str, str], max_bytes: int, seconds: float, span: trace.Span
    ) -> Fetched:
        try:
            with suppress_http_instrumentation():
                async with asyncio.timeout(seconds):
                    return await self._follow(address, headers, max_bytes, seconds, span)
        except (TimeoutError, httpx.TimeoutException):
            raise FetchRefused("timeout", f"No full answer within {seconds:g} seconds.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # The last three are what no address or answer should cause, and what the libraries below raise if one does.
            raise FetchRefused("connection", f"The connection failed: {error}") from error

    async def _follow(
        self, address: WebAddress, headers: dict[str, str], max_bytes: int, read: float, span: trace.Span
    ) -> Fetched:
        timeouts = httpx.Timeout(read, connect=min(read, CONNECT_TIMEOUT)).as_dict()
        for hops in range(MAX_REDIRECTS + 1):
            _describe(span, address, hops)
            response = await self._send(address, headers, timeouts)
            try:
                span.set_attribute("http.response.status_code", response.status_code)
                location = response.headers.get("location")
                if response.status_code in REDIRECTS and location:
                    address = _parsed(location, base=address.href)
                    continue
                return await _answer(response, address.without_fragment(), max_bytes)
            finally:
                await response.aclose()
        raise FetchRefused("redirects", f"More than {MAX_REDIRECTS} redirects.")

    async def _send(
        self, address: WebAddress, headers: dict[str, str], timeouts: dict[str, float | None]
    ) -> httpx.Response:
        """Asks the first judged address that accepts a connection."""
        host = address.host.strip("[]")
        path = address.target.encode()
        extensions = {"timeout": timeouts, "sni_hostname": host.rstrip(".")}
        failure: httpx.TransportError | None = None
        for target in (await self._judged(host, address.port))[:ATTEMPTS]:
            pinned = httpx.Request(
                "GET",
                httpx.URL(scheme=address.scheme, host=target, port=address.port, raw_path=path),
                headers={"host": address.authority, **headers},
                extensions=extensions,
            )
            try:
                return await self._transport.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or FetchRefused("host-unknown", f"The host {host!r} has no address.")

    async def _judged(self, host: str, port: int) -> Sequence[str]:
        """Where to connect to for this host. Raises FetchRefused if any address of it is not public."""
        try:
            addresses = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, UnicodeError, ValueError):
            if self._proxy:
                return [host]
            raise FetchRefused("host-unknown", f"The host {host!r} cannot be resolved.") from None
        if not self._allowed.host(host):
            for address in addresses:
                if not is_public(address) and not self._allowed.address(address):
                    raise FetchRefused("private-address", f"The host {host!r} is not on the public Internet.")
        return [host] if self._proxy else [str(address) for address in addresses]


def _parsed(text: str, base: str | None = None) -> WebAddress:
    """The address that may be asked for. Raises FetchRefused: `url`, `scheme`, `credentials`."""
    try:
        return parse(text, base)
    except AddressRefused as refusal:
        rule = refusal.rule if refusal.rule in ("scheme", "credentials") else "url"
        raise FetchRefused(rule, refusal.detail) from None


def _describe(span: trace.Span, address: WebAddress, hops: int) -> None:
    span.set_attribute("server.address", address.host)
    span.set_attribute("server.port", address.port)
    if hops:
        span.set_attribute("http.request.resend_count", hops)


async def _answer(response: httpx.Response, url: str, max_bytes: int) -> Fetched:
    status = response.status_code
    headers = {name.lower(): value for name, value in response.headers.items()}
    if status == 304:
        return Fetched(status, url, headers, b"")
    if not 200 <= status < 300:
        raise FetchRefused(
            "status", f"The server answered {status}.", status=status, retry_after=headers.get("retry-after")
        )
    too_large = FetchRefused("too-large", f"The answer is larger than {max_bytes} bytes.", status=status)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    body = bytearray()
    encoding = headers.get("content-encoding", "").strip().lower()
    async with aclosing(_unpacked(response, encoding, max_bytes)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                raise too_large
    return Fetched(status, url, headers, bytes(body))


async def _unpacked(response: httpx.Response, encoding: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives, unpacked no further than one byte beyond `max_bytes`: a bomb costs little."""
    if encoding in ("", "identity"):
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip"):
        raise FetchRefused("encoding", f"The content encoding {encoding[:40]!r} was not asked for.")
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    received = 0
    try:
        async for chunk in response.aiter_raw():
            received += len(chunk)
            yield inflate.decompress(chunk, max_bytes + 1)
            if received > max_bytes or inflate.unconsumed_tail:
                raise FetchRefused("too-large", f"The answer is larger than {max_bytes} bytes.")
    except zlib.error:
        raise FetchRefused("encoding", "The answer is not valid gzip.") from None
    if not inflate.eof or inflate.unused_data:
        raise FetchRefused("encoding", "The answer is not valid gzip.")
