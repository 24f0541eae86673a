"""Herald behind a real Caddy with the Caddyfile of deploy/docker, and trust as docker-compose.yml gives it.

Addresses of the loopback interface stand for those of Compose's network: 127.0.0.1 for the proxy in front, 127.0.0.2
for Caddy as the services see it; visitors come from 127.0.0.9.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from herald.demo.api import Api
from herald.local import credentials, plan
from herald.local.home import Home
from herald.local.plan import Addresses
from herald.local.ports import free_ports
from herald.operations import topics
from tests import infra as servers
from tests.e2e.stack import run_processes
from tests.hub_session import hub_session
from tests.infra import Infra
from tests.peers import Check, caddy

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
NETWORK = "127.0.0"
PROXY, OWN, STRANGER = f"{NETWORK}.1", f"{NETWORK}.2", f"{NETWORK}.9"
MANAGER, ADMIN = "marc@herald.example", "ines@herald.example"
SIGN_INS = 20
CLOSED_SECONDS = 25.0
MIB = 1024 * 1024
UPSTREAMS = (*(f"{name}-api" for name in plan.SERVICES), "sharing-links", "issuer", "hub")
INSIDE = (
    "/health", "/health/ready", "/metrics", "/METRICS", "//metrics", "/./metrics", "/x/../metrics", "/%6detrics",
    "/api/content/metrics", "/api/content/health/live", "/api//content/metrics", "/api/content//metrics",
    "/api/content/./metrics", "/api/x/../content/metrics", "/api%2Fcontent/metrics", "/api/content%2Fmetrics",
    "/api/content/%2e%2e/content/metrics", "/api/content/%2E/health/live",
)  # fmt: skip


@dataclass
class Recorder:
    """A service that notes the heads of the requests that reach it."""

    port: int = 0
    heads: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def last(self) -> dict[str, str]:
        """The headers of the last request, and its first line as `:line`."""
        line, *lines = self.heads[-1].strip().split("\r\n")
        pairs = (one.partition(":") for one in lines)
        return {":line": line, **{name.lower(): value.strip() for name, _, value in pairs}}


@dataclass
class Trial:
    """Herald at `url` behind Caddy, and a recorder at `plain` behind another Caddy."""

    url: str
    plain: str
    recorder: Recorder
    api: Api

    def client(self, source: str, url: str = "") -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=source)
        return httpx.AsyncClient(base_url=url or self.url, transport=transport, timeout=30)

    async def raw(self, data: bytes, *, url: str = "", within: float = 5.0) -> bytes:
        """What comes back for these bytes until the connection ends."""
        host, port = (url or self.url).removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=(STRANGER, 0))
        received = b""
        try:
            writer.write(data)  # what is read meanwhile may come before all of it is sent
            async with asyncio.timeout(within):
                while part := await reader.read(65536):
                    received += part
        except ConnectionError:
            pass
        finally:
            writer.close()
        return received


async def believes_no_stranger(trial: Trial) -> None:
    """What a visitor says of proxies and traces does not reach a service."""
    said = {
        "X-Forwarded-For": "198.51.100.1", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": "/evil", "X-Forwarded-User-Agent": "evil", "X-Real-IP": "198.51.100.1",
        "Forwarded": "for=198.51.100.1", "Traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "Tracestate": "evil=1",
        "Baggage": "evil=1",
    }  # fmt: skip
    async with trial.client(STRANGER, trial.plain) as client:
        await client.get("/feed", headers=said)
    got = trial.recorder.last()
    assert got["x-forwarded-for"] == STRANGER, got
    assert (got["x-forwarded-proto"], got["x-forwarded-host"]) == ("http", trial.plain.removeprefix("http://")), got
    assert not {"forwarded", "x-real-ip", "traceparent", "tracestate", "baggage"} & got.keys(), got
    assert not [value for value in got.values() if "evil" in value or "198.51" in value], got


async def believes_the_proxy_in_front(trial: Trial) -> None:
    """Its visitor's address, scheme and trace go on; what that visitor claimed stays before their address."""
    said = {
        "X-Forwarded-For": "203.0.113.5, 198.51.100.1",
        "X-Forwarded-Proto": "https",
        "Traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    async with trial.client(PROXY, trial.plain) as client:
        await client.get("/feed", headers=said)
    got = trial.recorder.last()
    assert got["x-forwarded-for"] == f"203.0.113.5, 198.51.100.1, {PROXY}", got
    assert (got["x-forwarded-proto"], got["traceparent"]) == ("https", said["Traceparent"]), got


async def keeps_the_path_and_the_host(trial: Trial) -> None:
    """Services get the path without its prefix and otherwise as it was sent, and the host that was asked for."""
    for sent, arrives in {
        "/api/content/v1/items/a%2Fb%3Fx?q=%20&q=/": "/v1/items/a%2Fb%3Fx?q=%20&q=/",
        "/l/abcd1234": "/l/abcd1234",
        "/feed/ID%3Flanguage=zz": "/feed/ID%3Flanguage=zz",
        "/issuer/token": "/issuer/token",
    }.items():
        await trial.raw(
            f"GET {sent} HTTP/1.1\r\nHost: herald.test\r\nConnection: close\r\n\r\n".encode(), url=trial.plain
        )
        got = trial.recorder.last()
        assert (got[":line"], got["host"]) == (f"GET {arrives} HTTP/1.1", "herald.test"), (sent, got)


async def hides_what_is_for_the_inside(trial: Trial) -> None:
    """Health and metrics answer 404 however they are spelled, and no service is asked."""
    before = len(trial.recorder.heads)
    for path in INSIDE:
        answer = await trial.raw(
            f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode(), url=trial.plain
        )
        reached = [one.split()[1].lower() for one in trial.recorder.heads[before:]]
        # What is cleaned neither by Caddy nor by a service is an address that no service has.
        assert answer[9:12] == b"404" or not [one for one in reached if one in ("/metrics", "/health/live")], path
        direct = await trial.raw(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        assert direct[9:12] in (b"404", b"303"), (path, direct[:200])


async def refuses_what_is_no_request(trial: Trial) -> None:
    """Two hosts, none, two lengths, a length and chunks."""
    for head in (
        "Host: a\r\nHost: b\r\n",
        "",
        "Host: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "Host: h\r\nTransfer-Encoding: xchunked\r\n",
    ):
        answer = await trial.raw(f"POST /welcome HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
        assert answer[9:12] in (b"400", b"501"), (head, answer[:100])


async def limits_what_is_sent(trial: Trial) -> None:
    """Headers and bodies beyond the limits get their statuses; what the documents allow passes."""
    long = f"GET /welcome HTTP/1.1\r\nHost: h\r\nX: {'a' * 100_000}\r\nConnection: close\r\n\r\n"
    refused = await trial.raw(long.encode())
    assert refused[9:12] == b"431", refused[:200]
    bearer = {"Authorization": f"Bearer {await trial.api.token(MANAGER)}"}
    async with trial.client(STRANGER) as client:
        csv = {**bearer, "Content-Type": "text/csv"}
        people = b"email,name,country,team\na@x.example,A,FR,IT\n" + b"\n" * (2 * MIB)
        taken = await client.post("/api/program/v1/imports", content=people, headers=csv)
        assert taken.status_code == 201, taken.text[:300]
    head = "POST /api/program/v1/{} HTTP/1.1\r\nHost: h\r\nContent-Type: text/csv\r\nConnection: close\r\n"
    signed = f"{head}Authorization: {bearer['Authorization']}\r\n"
    announced = f"Content-Length: {25 * MIB}\r\n\r\n".encode()
    chunked = b"Transfer-Encoding: chunked\r\n\r\n" + (b"%x\r\n" % MIB + b"x" * MIB + b"\r\n") * 25 + b"0\r\n\r\n"
    for path, body, status, type_ in (
        ("imports", announced, b"413", b"body-too-large"),
        ("imports", chunked, b"413", b"body-too-large"),
        ("people/x/merge", announced, b"403", b"role-missing"),
    ):
        answer = await trial.raw(signed.format(path).encode() + body, within=20)
        assert (answer[9:12], type_ in answer) == (status, True), (path, answer[:300])


async def lets_go_of_slow_clients(trial: Trial) -> None:
    """Who sends nothing, half a head or half a body is let go."""
    token = await trial.api.token(MANAGER)
    post = "POST /api/program/v1/people/names HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    kinds = {
        "half a head": "GET /welcome HTTP/1.1\r\nHost: h\r\nX: ",
        "half a body": f"{post}Authorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{",
        "a stranger's half body": f"{post}Content-Length: 1000\r\n\r\n{{",
    }
    began = time.monotonic()
    for name, data in kinds.items():
        try:
            await trial.raw(data.encode(), within=CLOSED_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{name} still there after {time.monotonic() - began:.0f} s") from None


async def passes_events_as_they_come(trial: Trial) -> None:
    """A stream begins at once, and a quiet one outlives every limit of time."""
    bearer = {"Authorization": f"Bearer {await trial.api.token(MANAGER)}"}
    program = await _programme(trial)
    arrived: list[float] = []
    async with (
        trial.client(STRANGER) as client,
        client.stream("GET", f"/api/metrics/v1/programs/{program}/live", headers=bearer) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        began = time.monotonic()
        async for _ in answer.aiter_bytes():
            arrived.append(time.monotonic() - began)
            if arrived[-1] > 15:
                break
    assert arrived[0] < 2, arrived
    assert len(arrived) > 10, f"with a heartbeat a second: {arrived}"


async def signs_in(trial: Trial) -> None:
    """From the first page to the last, with the policy of the hub on each, and no redirect that follows `Host`."""
    async with hub_session(trial.url, "ines") as hub:
        page = await hub.client.get("/admin/people")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        away = await hub.client.get("/", headers={"Host": "evil.example"})
        assert "evil" not in away.headers.get("location", "")


async def counts_visitors_by_their_own_address(trial: Trial) -> None:
    """Rates by address hold for one visitor whatever they claim, and one visitor's are not another's."""

    async def statuses(client: httpx.AsyncClient, *, claimed: str, by_proxy: str = "") -> list[int]:
        found = []
        for number in range(SIGN_INS + 5):
            chain = f"{claimed}.{number}" + (f", {by_proxy}" if by_proxy else "")
            found.append((await client.get("/auth/sign-in", headers={"X-Forwarded-For": chain})).status_code)
        return found

    async with trial.client(STRANGER) as stranger, trial.client(PROXY) as proxy:
        assert (await statuses(stranger, claimed="198.51.100"))[-1] == 429
        assert (await statuses(proxy, claimed="198.51.100", by_proxy="203.0.113.7"))[-1] == 429
        other = await proxy.get("/auth/sign-in", headers={"X-Forwarded-For": "203.0.113.8"})
        assert other.status_code == 303, "visitors behind the proxy in front share one rate"


async def _programme(trial: Trial) -> str:
    order = {"name": "Voices", "time_zone": "UTC", "languages": ["en"], "consent": {"en": "Freely."}, "open": True}
    program = str((await trial.api.post(MANAGER, "/program/v1/programs", order))["id"])
    async with asyncio.timeout(30):
        while True:
            path = f"/metrics/v1/programs/{program}/figures"
            if (await trial.api.call(MANAGER, "GET", path, allow=(403, 404))).is_success:
                return program
            await asyncio.sleep(0.2)


CHECKS = (
    believes_no_stranger,
    believes_the_proxy_in_front,
    keeps_the_path_and_the_host,
    hides_what_is_for_the_inside,
    refuses_what_is_no_request,
    signs_in,
    limits_what_is_sent,
    lets_go_of_slow_clients,
    passes_events_as_they_come,
    counts_visitors_by_their_own_address,
)


def trusted() -> str:
    """HERALD_TRUSTED_PROXIES as Compose gives it to each service, in the network of this machine."""
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    [said] = {one["environment"]["HERALD_TRUSTED_PROXIES"] for one in services.values() if _trusts(one)}
    text = re.sub(r"\$\{HERALD_NETWORK:-[\d.]+\}", NETWORK, said)
    return re.sub(r"\$\{HERALD_FRONT_PROXY:-([\d.]+)\}", r"\1", text)


def _trusts(service: dict[str, Any]) -> bool:
    return "HERALD_TRUSTED_PROXIES" in service.get("environment", {})


@asynccontextmanager
async def trying(infra: Infra, folder: Path) -> AsyncIterator[Trial]:
    """Everything that a trial needs; ends it."""
    recorder = Recorder()
    recording = await asyncio.start_server(recorder.answer, "127.0.0.1", 0)
    recorder.port = recording.sockets[0].getsockname()[1]
    ports = free_ports([*plan.names(split=True), "front", "plain"], folder / "ports.json")
    url = f"http://127.0.0.1:{ports['front']}"
    home, namespace = Home(folder / "herald"), f"f{secrets.token_hex(3)}"
    home.prepare()
    await topics.apply_topics(infra.kafka_bootstrap, namespace)
    addresses = Addresses(infra.kafka_bootstrap, infra.mongo_url, infra.redis_url, url)
    specs = plan.processes(home, addresses, credentials.environment(home), ports, split=True)
    variables = {
        "HERALD_TRUSTED_PROXIES": trusted(),
        "HERALD_RATE_SIGN_INS": f"{SIGN_INS}/minute",
        **{f"HERALD_{name.upper()}_URL": f"http://127.0.0.1:{ports[f'{name}-api']}" for name in plan.SERVICES},
    }
    upstreams = {**ports, "hub": ports["hub-api"], "issuer": ports["gateway-api"]}
    fronts = (
        caddy.running(folder, ports["front"], upstreams, proxy=PROXY, own=OWN),
        caddy.running(folder, ports["plain"], dict.fromkeys(UPSTREAMS, recorder.port), proxy=PROXY, own=OWN),
    )
    async with recording, fronts[0], fronts[1] as plain, run_processes(specs, namespace, home, **variables):
        api = Api(url, home)
        try:
            for who in (ADMIN, MANAGER):
                await api.call(who, "PUT", "/program/v1/me", {})
            manager = (await api.get(MANAGER, "/program/v1/me"))["id"]
            change = {"roles": ["manager"]}
            await api.call(ADMIN, "PATCH", f"/program/v1/people/{manager}", change, headers={"If-Match": "*"})
            yield Trial(url, plain, recorder, api)
        finally:
            await api.close()


async def run() -> AsyncIterator[Check]:
    """Each check as it is done."""
    servers.begin_run()
    try:
        with tempfile.TemporaryDirectory(prefix="herald-peers-") as scratch:
            async with trying(servers.acquire(), Path(scratch)) as trial:
                for check in CHECKS:
                    try:
                        await check(trial)
                    except Exception as error:  # noqa: BLE001 - the next check is told all the same
                        yield Check(check.__name__.replace("_", " "), f"{type(error).__name__}: {error}"[:600])
                    else:
                        yield Check(check.__name__.replace("_", " "))
    finally:
        servers.end_run()
