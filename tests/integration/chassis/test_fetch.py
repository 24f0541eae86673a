"""The guarded fetch against sites that behave, and sites that do not."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from chassis.fetch import MEBIBYTE, FetchRefused, GuardedFetch
from tests.integration.site import Answer, Asked, Site, serve_site

LOOPBACK = "127.0.0.0/8"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serve_site() as found:
        yield found


@pytest.fixture
def fetch() -> GuardedFetch:
    return GuardedFetch(allow=[LOOPBACK])


class Names:
    """A resolver that answers from a table, a list of answers a name, one after the other."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        found = self._answers.get(host, [[host]])
        return found.pop(0) if len(found) > 1 else found[0]


async def refused(fetch: GuardedFetch, url: str, **options: float) -> FetchRefused:
    with pytest.raises(FetchRefused) as caught:
        await fetch.get(url, **options)  # type: ignore[arg-type]
    return caught.value


async def test_a_page_is_fetched_with_what_it_says_of_itself(site: Site, fetch: GuardedFetch) -> None:
    site.pages["/feed"] = Answer(headers={"ETag": '"1"', "Content-Type": "text/xml"}, body=b"<rss/>")
    got = await fetch.get(site.url("/feed?key=1#part"), accept="text/xml")
    assert (got.status, got.body, got.headers["etag"]) == (200, b"<rss/>", '"1"')
    assert got.url == site.url("/feed?key=1")
    [asked] = site.asked
    assert asked.target == "/feed?key=1"
    assert asked.headers["accept"] == "text/xml"
    assert asked.headers["host"] == f"127.0.0.1:{site.port}"


async def test_what_did_not_change_is_not_sent_again(site: Site, fetch: GuardedFetch) -> None:
    async def conditional(asked: Asked, writer: asyncio.StreamWriter) -> None:
        same = asked.headers.get("if-none-match") == '"1"' and "if-modified-since" in asked.headers
        await Answer(304 if same else 200, {"ETag": '"1"'}, b"" if same else b"body")(asked, writer)

    site.pages["/feed"] = conditional
    assert not (await fetch.get(site.url("/feed"))).unchanged
    again = await fetch.get(site.url("/feed"), etag='"1"', last_modified="Sat, 01 Nov 2025 00:00:00 GMT")
    assert again.unchanged
    assert again.body == b""
    odd = await fetch.get(site.url("/feed"), etag='"é\n"')
    assert odd.status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "127.1", "[::1]", "localhost"])
async def test_loopback_is_refused_however_it_is_written(site: Site, host: str) -> None:
    assert (await refused(GuardedFetch(), site.url(host=host))).rule == "private-address"
    assert site.asked == []


async def test_a_host_on_the_list_may_be_private(site: Site) -> None:
    site.pages["/"] = Answer(body=b"ok")
    names = Names(intranet_example=[["127.0.0.1"]])
    listed = GuardedFetch(allow=["intranet.example"], resolve=names)
    assert (await listed.get(site.url(host="Intranet.Example"))).body == b"ok"
    unlisted = GuardedFetch(allow=["other.example"], resolve=names)
    assert (await refused(unlisted, site.url(host="intranet.example"))).rule == "private-address"


async def test_the_connection_goes_to_the_address_that_was_judged(site: Site) -> None:
    """The name is in no DNS, and a second look at it would give a forbidden address: it is never looked up again."""
    site.pages["/"] = Answer(body=b"ok")
    names = Names(feeds_example=[["127.0.0.1"], ["10.0.0.1"]])
    got = await GuardedFetch(allow=[LOOPBACK], resolve=names).get(site.url(host="feeds.example"))
    assert got.body == b"ok"
    assert got.url == site.url("/", "feeds.example")
    assert names.asked == ["feeds.example"]
    assert site.asked[0].headers["host"] == f"feeds.example:{site.port}"


async def test_the_next_address_is_tried_when_one_does_not_answer(site: Site) -> None:
    site.pages["/"] = Answer(body=b"ok")
    names = Names(feeds_example=[["127.0.0.2", "127.0.0.1"]])
    assert (await GuardedFetch(allow=[LOOPBACK], resolve=names).get(site.url(host="feeds.example"))).status == 200


async def test_each_hop_is_judged_anew(site: Site) -> None:
    site.pages["/out"] = Answer(302, {"Location": site.url("/in", "inside.example")})
    site.pages["/in"] = Answer(body=b"secret")
    names = Names(outside_example=[["127.0.0.1"]], inside_example=[["10.0.0.1"]])
    found = await refused(GuardedFetch(allow=[LOOPBACK], resolve=names), site.url("/out", "outside.example"))
    assert found.rule == "private-address"
    assert [asked.target for asked in site.asked] == ["/out"]


async def test_is_asked_for_as_the_standard_writes_it(site: Site, fetch: GuardedFetch) -> None:
    site.pages["/%C3%A9/|%20"] = Answer(body=b"ok")
    assert (await fetch.get(site.url("/x/../é/|%20?a[]=ö&&b#c"))).body == b"ok"
    assert [asked.target for asked in site.asked] == ["/%C3%A9/|%20?a[]=%C3%B6&&b"]


@pytest.mark.parametrize(
    ("location", "rule"),
    [
        ("ftp://x/", "scheme"),
        ("http://u:p@127.0.0.1/", "credentials"),
        ("http://[", "url"),
        ("/loop", "redirects"),
    ],
)
async def test_a_redirect_leads_to_no_other_place_than_an_address_could(
    site: Site, fetch: GuardedFetch, location: str, rule: str
) -> None:
    site.pages["/loop"] = Answer(301, {"Location": location})
    assert (await refused(fetch, site.url("/loop"))).rule == rule
    assert len(site.asked) == (6 if rule == "redirects" else 1)


async def test_five_redirects_are_followed_without_cookies_and_their_bodies_left_alone(
    site: Site, fetch: GuardedFetch
) -> None:
    async def onward(asked: Asked, writer: asyncio.StreamWriter) -> None:
        step = int(asked.target[1:])
        headers = {"Location": f"/{step + 1}", "Set-Cookie": "a=b; Path=/", "content-length": str(1 << 40)}
        await Answer(307, headers, b"x" * 1000)(asked, writer)

    site.pages.update({f"/{step}": onward for step in range(5)} | {"/5": Answer(body=b"there")})
    got = await fetch.get(site.url("/0"))
    assert (got.body, got.url) == (b"there", site.url("/5"))
    assert len(site.asked) == 6
    assert not any("cookie" in asked.headers for asked in site.asked)


async def test_an_answer_that_announces_too_much_is_not_read(site: Site, fetch: GuardedFetch) -> None:
    site.pages["/"] = Answer(headers={"content-length": str(20 * MEBIBYTE)}, body=b"x" * 100)
    assert (await refused(fetch, site.url())).rule == "too-large"


async def test_an_answer_without_end_is_cut_at_the_limit(site: Site, fetch: GuardedFetch) -> None:
    sent = 0

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    site.pages["/"] = endless
    assert (await refused(fetch, site.url(), max_bytes=MEBIBYTE)).rule == "too-large"
    assert sent < 16 * MEBIBYTE
    exact = Answer(body=b"x" * MEBIBYTE)
    site.pages["/exact"] = exact
    assert len((await fetch.get(site.url("/exact"), max_bytes=MEBIBYTE)).body) == MEBIBYTE


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MEBIBYTE)) for _ in range(size // MEBIBYTE)), packer.flush()])


async def test_a_compressed_bomb_is_refused_and_costs_little_memory(site: Site, fetch: GuardedFetch) -> None:
    site.pages["/"] = Answer(headers={"Content-Encoding": "gzip"}, body=bomb(128 * MEBIBYTE))
    tracemalloc.start()
    try:
        assert (await refused(fetch, site.url())).rule == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 20 * MEBIBYTE
    finally:
        tracemalloc.stop()


async def test_a_compressed_answer_is_unpacked(site: Site, fetch: GuardedFetch) -> None:
    text = b"".join(b"%d," % number for number in range(200_000))
    site.pages["/"] = Answer(headers={"Content-Encoding": "GZIP"}, body=gzip.compress(text))
    assert (await fetch.get(site.url())).body == text
    assert site.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"not gzip"), ("gzip", gzip.compress(b"cut" * 99, mtime=0)[:-9])],
)
async def test_an_encoding_that_was_not_asked_for_or_is_broken_is_refused(
    site: Site, fetch: GuardedFetch, encoding: str, body: bytes
) -> None:
    site.pages["/"] = Answer(headers={"Content-Encoding": encoding}, body=body)
    assert (await refused(fetch, site.url())).rule == "encoding"


async def test_the_whole_takes_no_longer_than_its_time_however_slowly_it_drips(site: Site, fetch: GuardedFetch) -> None:
    async def dripping(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    site.pages["/"] = dripping
    started = asyncio.get_running_loop().time()
    assert (await refused(fetch, site.url(), timeout=0.5)).rule == "timeout"
    assert asyncio.get_running_loop().time() - started < 3


async def test_an_error_of_the_server_says_its_status(site: Site, fetch: GuardedFetch) -> None:
    site.pages["/"] = Answer(503)
    found = await refused(fetch, site.url())
    assert (found.rule, found.status) == ("status", 503)


async def test_a_server_that_does_not_speak_http_is_a_failed_connection(site: Site, fetch: GuardedFetch) -> None:
    async def rude(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-hello\r\n\r\n")
        await writer.drain()

    site.pages["/"] = rude
    assert (await refused(fetch, site.url())).rule == "connection"
    assert (await refused(fetch, "http://127.0.0.1:1/")).rule == "connection"


async def test_the_environments_proxy_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    site.pages["/"] = Answer(body=b"direct")
    assert (await GuardedFetch(allow=[LOOPBACK]).get(site.url())).body == b"direct"


async def test_a_proxy_that_is_set_gets_names_but_no_private_ones(site: Site) -> None:
    async def no_dns(host: str, port: int) -> Sequence[str]:
        if host == "intranet.example":
            return ["10.0.0.1"]
        raise OSError("no such name here")

    site.pages["http://feeds.example/feed"] = Answer(body=b"by proxy")
    fetch = GuardedFetch(proxy=site.url(), resolve=no_dns)
    assert (await fetch.get("http://feeds.example/feed")).body == b"by proxy"
    assert (await refused(fetch, "http://intranet.example/")).rule == "private-address"
    assert len(site.asked) == 1


# --- TLS -------------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's context with a certificate for `name`, which is its own authority at `folder`/ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    (folder / "server.pem").write_bytes(secret + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_tls_is_checked_for_the_name_although_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    server = certificate(tmp_path, "feeds.example")
    shown: list[str | None] = []
    server.sni_callback = lambda _, name, __: shown.append(name)
    names = Names(feeds_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    tls = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    fetch = GuardedFetch(allow=[LOOPBACK], resolve=names, tls=tls)
    async with serve_site(server) as site:
        site.pages["/"] = Answer(body=b"safe")
        assert (await fetch.get(site.url(host="feeds.example"))).body == b"safe"
        assert shown == ["feeds.example"]
        assert (await refused(fetch, site.url(host="other.example"))).rule == "connection"
        untrusting = GuardedFetch(allow=[LOOPBACK], resolve=names)
        assert "certificate" in (await refused(untrusting, site.url(host="feeds.example"))).detail.lower()
        assert len(site.asked) == 1


# --- spans -----------------------------------------------------------------------------------------------------


def traced() -> tuple[GuardedFetch, InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return GuardedFetch(allow=[LOOPBACK], tracer=provider.get_tracer("test")), exporter


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    [span] = exporter.get_finished_spans()
    return span


async def test_a_span_says_where_it_went_but_not_with_what(site: Site) -> None:
    site.pages["/a"] = Answer(302, {"Location": "/b?token=two"})
    site.pages["/b"] = Answer(body=b"ok")
    fetch, exporter = traced()
    await fetch.get(site.url("/a?token=one"))
    span = only(exporter)
    assert (span.name, span.kind) == ("GET", SpanKind.CLIENT)
    assert span.attributes is not None
    assert span.attributes["server.address"] == "127.0.0.1"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["http.request.resend_count"] == 1
    assert "token" not in span.to_json()
    assert not any("traceparent" in asked.headers for asked in site.asked)


async def test_a_foreign_server_gets_no_trace_even_where_httpx_is_instrumented(site: Site) -> None:
    site.pages["/"] = Answer(body=b"ok")
    instrumentor = HTTPXClientInstrumentor()
    fetch, exporter = traced()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider)
    try:
        await fetch.get(site.url("/?token=one"))
    finally:
        instrumentor.uninstrument()
    assert "traceparent" not in site.asked[0].headers
    assert "token" not in only(exporter).to_json()


async def test_a_refusal_marks_its_span(site: Site) -> None:
    site.pages["/"] = Answer(500)
    fetch, exporter = traced()
    await refused(fetch, site.url("/?token=one"))
    span = only(exporter)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "status"
    assert "token" not in span.to_json()
