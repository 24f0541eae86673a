"""Which proxies are trusted to say where a request came from."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

REMEMBERED = 10_000


class TrustedProxies:
    """Networks of proxies, as a list with commas. Raises ValueError for what is no network."""

    def __init__(self, networks: str) -> None:
        self._networks = tuple(ip_network(one.strip()) for one in networks.split(",") if one.strip())
        self._known: dict[str, bool] = {}

    def trust(self, address: str) -> bool:
        """Whether the address is one of theirs; False for what is no address."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._contain(address)
        return known

    def _contain(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def origin(self, peer: str, forwarded_for: str) -> str:
        """Where a request came from: the last address that no trusted proxy vouches for, 64 characters at most."""
        if not forwarded_for or not self.trust(peer):
            return peer
        for hop in reversed(forwarded_for.split(",")):
            peer = hop.strip()[:64]
            if not self.trust(peer):
                break
        return peer
