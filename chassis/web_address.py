"""What a web address is, everywhere in Herald: the WHATWG URL standard, http or https, a host that can exist.

An address is kept as the standard serialises it: printable ASCII, international host names by UTS 46, everything
else percent-encoded. What is ASCII already stays as it was written, empty query pairs and a trailing `#` included.
Beyond the standard, an address is refused

- without `http` or `https`, or with a user name or a password;
- where DNS or IP cannot have such a host: empty labels, labels of more than 63 characters, signs other than letters,
  digits, `-` and `_`, unspecified and multicast addresses; or no server can have the port: 0;
- where it is longer than `MAX_LENGTH` as serialised, which is what a header has to hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Final

import ada_url
from pydantic import AfterValidator, Field

from chassis.rules import broken

MAX_LENGTH: Final = 2048
"""Bytes of an address as serialised."""
_MAX_WRITTEN: Final = 4 * MAX_LENGTH
"""Characters of what is parsed at all."""
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_SCHEME: Final = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY: Final = re.compile(r"[\x00-\x20]*(?:[A-Za-z]+:)?[/\\]*([^/\\?#]*)")
_PORT: Final = re.compile(r":([^:\]@]*)$")
_DIGITS: Final = re.compile(r"0*[0-9]{0,5}")


class AddressRefused(ValueError):
    """It is no web address; `rule` is a stable word with its parameters, `detail` an English sentence.

    Rules: ``blank``, ``too-long``, ``scheme``, ``credentials``, ``host``, ``port``.
    """

    def __init__(self, rule: str, detail: str, **params: Any) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.params = params


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A web address. `host` is ASCII, an IPv6 address in brackets; `port` is what a connection needs.

    `query` and `fragment` come without `?` and `#`; None means that there is none, "" that nothing follows the sign.
    """

    href: str
    scheme: str
    host: str
    port: int

    @property
    def fragment(self) -> str | None:
        _, sign, fragment = self.href.partition("#")
        return fragment if sign else None

    @property
    def query(self) -> str | None:
        _, sign, query = self.href.partition("#")[0].partition("?")
        return query if sign else None

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port: what the header `Host` says."""
        return self.href.partition("://")[2].partition("/")[0]

    @property
    def target(self) -> str:
        """Path and query: what a request line says."""
        return self.without_fragment().partition("://")[2].removeprefix(self.authority)

    def without_fragment(self) -> str:
        return self.href.partition("#")[0]

    def with_query(self, query: str | None) -> str:
        """The same address with another query, before its fragment."""
        address, sign, fragment = self.href.partition("#")
        return address.partition("?")[0] + ("" if query is None else f"?{query}") + sign + fragment


def parse(text: str, base: str | None = None) -> WebAddress:
    """The address that somebody wrote, resolved against `base` where one is given. Raises AddressRefused."""
    if not text.strip() and base is None:
        raise AddressRefused("blank", "An address is needed, such as https://www.example.com/news.")
    if len(text) > _MAX_WRITTEN:
        raise _too_long()
    try:
        url = ada_url.URL(text, base) if base is not None else ada_url.URL(text)
    except (ValueError, UnicodeError):
        raise _unparsable(text, relative=base is not None) from None
    scheme = url.protocol.removesuffix(":")
    if scheme not in ("http", "https"):
        raise _scheme()
    if url.username or url.password:
        raise AddressRefused("credentials", "An address may not hold a user name or a password.")
    _check_host(url.hostname)
    port = int(url.port) if url.port else 443 if scheme == "https" else 80
    if port == 0:
        raise _port()
    if len(url.href) > MAX_LENGTH:
        raise _too_long()
    return WebAddress(url.href, scheme, url.hostname, port)


def find(text: str | None, base: str | None = None) -> WebAddress | None:
    """The address, or None where it is none: for what was stored or written by others. Never raises."""
    if text is None:
        return None
    try:
        return parse(text, base)
    except AddressRefused:
        return None


def shown_host(text: str | None) -> str:
    """The host of an address as people read it, without `www.`; "" where there is no address. Never raises."""
    found = find(text)
    if found is None:
        return ""
    host = found.host.removeprefix("www.") or found.host
    shown = ada_url.idna_to_unicode(host.encode())
    return shown if shown.isprintable() else host


def _check_host(host: str) -> None:
    if host.startswith("[") or _is_ipv4(host):
        address = ip_address(host.strip("[]"))
        if address.is_unspecified or address.is_multicast or host.startswith("0.") or host == "255.255.255.255":
            raise _host()
        return
    name = host.removesuffix(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) and _decodes(label) for label in name.split(".")):
        raise _host()


def _is_ipv4(host: str) -> bool:
    return host.rpartition(".")[2].isdecimal()


def _decodes(label: str) -> bool:
    """False for what says that it is an international name and is none."""
    return not label.startswith("xn--") or not ada_url.idna_to_unicode(label.encode()).isascii()


def _unparsable(text: str, *, relative: bool) -> AddressRefused:
    """Which part of it the standard does not accept."""
    scheme = _SCHEME.match(text)
    if scheme is None and not relative:
        return _scheme()
    if scheme is not None and scheme[1].lower() not in ("http", "https"):
        return _scheme()
    authority = _AUTHORITY.match(text)
    port = _PORT.search(authority[1]) if authority else None
    if port and not (_DIGITS.fullmatch(port[1]) and int(port[1] or 0) < 65536):
        return _port()
    return _host()


def _scheme() -> AddressRefused:
    return AddressRefused("scheme", "An address begins with https:// or http://.")


def _host() -> AddressRefused:
    return AddressRefused("host", "The address names no host that can exist, such as www.example.com.")


def _port() -> AddressRefused:
    return AddressRefused("port", "The port of the address is a number from 1 to 65535.")


def _too_long() -> AddressRefused:
    return AddressRefused(
        "too-long",
        f"An address has at most {MAX_LENGTH} characters; each accented letter in it counts as six or more.",
        max=MAX_LENGTH,
    )


def _serialised(text: str) -> str:
    try:
        return parse(text).href
    except AddressRefused as refusal:
        raise broken(refusal.rule, refusal.detail, **refusal.params) from None


Address = Annotated[
    str,
    AfterValidator(_serialised),
    Field(
        description="http or https, without a user name; kept as the WHATWG standard serialises it",
        examples=["https://www.example.com/en/water"],
        json_schema_extra={"format": "uri", "maxLength": MAX_LENGTH},
    ),
]
"""A web address in a request's body."""
