"""In which browsers people use Herald today, so that their own clicks are known as such."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from chassis.clock import Clock
from chassis.principals import Principal
from chassis.web.proxies import TrustedProxies
from services.sharing.redirect.visitors import visitor_of
from services.sharing.settings import SharingSettings
from services.sharing.store.visits import Visits

REMEMBERED = 50_000


class OwnVisits:
    """Notes each pair of browser and person once a day and process; keeps nothing but the day's keyed hash."""

    def __init__(self, settings: SharingSettings, clock: Clock, visits: Visits) -> None:
        self._visits = visits
        self._clock = clock
        self._key = settings.hash_key
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def note(self, caller: Principal, peer: str, headers: Mapping[str, str]) -> None:
        """`headers` by lower-case name; what a trusted proxy says of address and browser goes first."""
        agent = headers.get("user-agent", "")
        if self._proxies.trust(peer):
            agent = headers.get("x-forwarded-user-agent", agent)
        address = self._proxies.origin(peer, headers.get("x-forwarded-for", ""))
        now = self._clock.now()
        seen = (visitor_of(self._key, address, agent, now.date().isoformat()), caller.id)
        if seen in self._known:
            return
        await self._visits.saw(*seen, now)
        self._known[seen] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
