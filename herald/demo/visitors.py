"""Real HTTP requests to short links, each visitor from an address of their own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
BOTS = (
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
FOUND = 302
OWN = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who follows a link: a source address (of 127/8, all of which is this machine) and a browser.

    From no such address a way leads to another machine: there it is said in X-Forwarded-For, which that Herald's front
    must believe from this machine.
    """

    address: str
    agent: str
    prefetches: bool = False
    scans: bool = False

    async def follow(self, url: str) -> str:
        """Follow a short link; returns where it leads. Raises OSError, or ValueError for another answer."""
        parts = urlsplit(url)
        here = is_loopback(parts.hostname or "")
        source = (self.address, 0) if here else None
        forwarded = "" if here or self.address == OWN else f"X-Forwarded-For: {self.address}\r\n"
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, local_addr=source)
        try:
            method = "HEAD" if self.scans else "GET"
            purpose = "Sec-Purpose: prefetch\r\n" if self.prefetches else ""
            writer.write(
                f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: {self.agent}\r\n"
                f"{purpose}{forwarded}Accept: text/html\r\nConnection: close\r\n\r\n".encode()
            )
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)).decode("latin-1")
        finally:
            writer.close()
        status = int(head.split(" ", 2)[1])
        if status != FOUND:
            raise ValueError(f"{parts.path} answered {status}")
        return next(line[10:] for line in head.split("\r\n") if line.lower().startswith("location: "))


def is_loopback(host: str) -> bool:
    """Whether it is this machine by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def a_person(chance: random.Random) -> Visitor:
    return Visitor(_address(chance, 10, 99), chance.choice(BROWSERS))


def a_bot(chance: random.Random) -> Visitor:
    return Visitor(_address(chance, 100, 120), chance.choice(BOTS))


def a_prefetcher(chance: random.Random) -> Visitor:
    return Visitor(_address(chance, 121, 140), chance.choice(BROWSERS), prefetches=True)


def a_scanner(chance: random.Random) -> tuple[Visitor, Visitor]:
    """A mail scanner that looks like a browser: it sends HEAD, then GET."""
    address, agent = _address(chance, 141, 160), chance.choice(BROWSERS)
    return Visitor(address, agent, scans=True), Visitor(address, agent)


def at_home(chance: random.Random) -> Visitor:
    """An ambassador's own browser: the address that the demo's requests to the APIs come from."""
    return Visitor(OWN, chance.choice(BROWSERS))


def _address(chance: random.Random, low: int, high: int) -> str:
    return f"127.{chance.randint(low, high)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
