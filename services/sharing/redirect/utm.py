"""Where a short link leads: the item's address with the parameters that say which share brought the visit."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from anyascii import anyascii

from chassis import web_address

MEDIUM = "employee_advocacy"
MAX_CAMPAIGN = 60


def target_url(url: str, *, network: str, campaign: str, code: str) -> str:
    """The address with `utm_source` (the network), `utm_medium`, `utm_campaign` and `utm_content` (the link's code)
    before its fragment. Raises AddressRefused.

    These four take the place of any that the address had, however they were written there. All else stays as the
    WHATWG standard serialises it: other parameters in their order, empty pairs, `utm_term`, `utm_id`, a trailing `#`.
    """
    address = web_address.parse(url)
    tracking = {"utm_source": network, "utm_medium": MEDIUM, "utm_campaign": campaign, "utm_content": code}
    kept = [pair for pair in (address.query or "").split("&") if unquote_plus(pair.partition("=")[0]) not in tracking]
    added = "&".join(f"{name}={value}" for name, value in tracking.items())
    return address.with_query(added if kept in ([], [""]) else "&".join([*kept, added]))


def campaign_of(program_name: str, program_id: str) -> str:
    """The programme's name as a campaign; its id where nothing of the name is left."""
    return slug(program_name) or program_id


def slug(name: str) -> str:
    """A programme's name as a campaign: lower case, letters and digits of ASCII with hyphens between (`œ` is `oe`,
    `ø` is `o`); may be empty."""
    words = re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-")
    return words[:MAX_CAMPAIGN].rstrip("-")
