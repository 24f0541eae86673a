"""Every way to write an address that only a server can reach, against the fetch that everything goes out by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chassis.fetch import FetchRefused, GuardedFetch
from tests.attack.attempt import Attempt, expect
from tests.attack.target import Target

LOOPBACK = (
    "127.0.0.1", "127.1", "127.0.1", "127.00.00.01", "127.0.0.1.", "127.127.127.127", "2130706433", "0x7f000001",
    "0x7F.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1", "0177.1", "00000000000177.0.0.1", "0x0000007f000001",
    "127.0.0.0x1", "0", "0.0.0.0", "0x0", "00", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain",
    "LocalHost..", "a.localhost", "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127｡0｡0｡1", "%31%32%37.0.0.1",
    "%6c%6f%63alhost", "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost", "loc\u200balhost",
    "127.0.0.1%00.example.com",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[::1%25lo]", "[::1%lo]", "[fe80::1%25eth0]", "[0:0:0:0:0:ffff:127.0.0.1]",
)  # fmt: skip
PRIVATE = (
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.1", "169.254.169.254",
    "0xA9FEA9FE", "2852039166", "169.254.43518", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.0.2.1", "203.0.113.7", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]",
    "[2001::1]", "[fec0::1]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[100::1]",
)  # fmt: skip
TRICKS = (
    "http://www.example.com@{canary}/", "http://www.example.com:80@{canary}/", "http://{canary}#@www.example.com/",
    "http://{canary}?@www.example.com/", "http://{canary}\\@www.example.com/", "http:\\\\{canary}/", "http:{canary}/",
    "http:/{canary}/", "http:///{canary}/", "HTTP://{canary}/", " http://{canary}/ ", "ht\ntp://{canary}/",
    "http://{canary}/\r\nX: y", "http://www.example.com\x00@{canary}/", "//{canary}/", "{canary}",
    "http://[{canary}]/", "http://{canary}%2f@www.example.com/",
)  # fmt: skip
SCHEMES = (
    "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/_x",
    "dict://127.0.0.1/", "ldap://127.0.0.1/", "jar:http://127.0.0.1!/", "data:text/plain,x", "javascript:1",
    "unix:///run/x", "view-source:http://127.0.0.1/", "blob:http://127.0.0.1/x", "ws://127.0.0.1/", "", "http://",
    "http:///", "http://:80/", "https://[/x", "http://[::1", "http://%/",
)  # fmt: skip


@dataclass
class Canary:
    """What must never be reached: a server of this machine. `redirect` is where it sends whoever is allowed in."""

    port: int = 0
    touched: int = 0
    redirect: str | None = field(default=None)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        front = b"GET /front" in request
        self.touched += b"\r\nhost: front.example" not in request.lower()
        location = f"Location: {self.redirect}\r\n" if front and self.redirect else ""
        status = "302 Found" if location else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    found = Canary()
    async with await asyncio.start_server(found.answer, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        async with await asyncio.start_server(found.answer, "::1", found.port):
            yield found


async def attack(target: Target) -> AsyncIterator[Attempt]:
    hosts = (*LOOPBACK, *PRIVATE)
    async with canary() as inside:
        fetch = GuardedFetch()
        addresses = [f"http://{host}:{inside.port}/" for host in hosts]
        addresses += [trick.format(canary=f"127.0.0.1:{inside.port}") for trick in TRICKS]
        for address in (*addresses, *SCHEMES):
            yield await _kept_out(fetch, inside, address, address)
        front = GuardedFetch(allow=["front.example"], resolve=_resolve)
        for address in addresses:
            inside.redirect = address.encode("ascii", "ignore").decode()
            if inside.redirect == address and "\n" not in address:
                name = f"redirected to {address}"
                yield await _untouched(front, inside, f"http://front.example:{inside.port}/front", name)
        for mixed in (["93.184.215.14", "127.0.0.1"], ["127.0.0.1", "93.184.215.14"], ["2606:4700::1111", "::1"]):
            yield await _kept_out(_names(mixed), inside, f"http://mixed.example:{inside.port}/", f"a name for {mixed}")
        async for attempt in _by_the_api(target, inside):
            yield attempt


async def _by_the_api(target: Target, inside: Canary) -> AsyncIterator[Attempt]:
    """The same through the door: an editor adds feeds, and an item with such a picture is published by nobody."""
    token = await target.api.token("emma@herald.example")
    headers = {"authorization": f"Bearer {token}"}
    async with target.client(headers=headers) as client:
        for host in ("127.0.0.1", "2130706433", "[::1]", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"):
            order = {"program_id": target.program_id, "url": f"http://{host}:{inside.port}/", "language": "en"}
            order |= {"rule": "review", "category": "sector_news"}
            before = inside.touched
            answer = await client.post("/api/content/v1/feeds", json=order)
            untouched = inside.touched == before and 400 <= answer.status_code < 500
            yield expect(f"a feed at {host}", untouched, f"{answer.status_code}, touched {inside.touched - before}")


async def _untouched(fetch: GuardedFetch, inside: Canary, address: str, name: str) -> Attempt:
    """What is relative to the front may be had of the front."""
    before = inside.touched
    found = await _kept_out(fetch, inside, address, name)
    return expect(name, inside.touched == before and not found.seen.startswith("raised"), found.seen)


async def _kept_out(fetch: GuardedFetch, inside: Canary, address: str, name: str) -> Attempt:
    before = inside.touched
    try:
        await fetch.get(address, timeout=2)
        seen = "fetched"
    except FetchRefused as refusal:
        seen = refusal.rule
    except Exception as error:  # noqa: BLE001 - anything else is what must not come out
        return expect(name, False, f"raised {type(error).__name__}")
    return expect(name, inside.touched == before and seen not in ("fetched", "connection", "timeout"), seen)


async def _resolve(host: str, port: int) -> list[str]:
    """A public name that leads to the front; everything else as the system has it."""
    from chassis.fetch import resolve

    return ["127.0.0.1"] if host == "front.example" else list(await resolve(host, port))


def _names(addresses: list[str]) -> GuardedFetch:
    async def resolve(host: str, port: int) -> list[str]:
        return addresses

    return GuardedFetch(resolve=resolve)
