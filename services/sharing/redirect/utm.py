"""Where a short link leads: the item's address with the parameters that say which share brought the visit."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

MEDIUM = "employee_advocacy"
_SAFE = "!$&'()*+,;=:@/?-._~%[]"


def target_url(url: str, *, network: str, campaign: str, code: str) -> str:
    """The address with `utm_source` (the network), `utm_medium`, `utm_campaign` and `utm_content` (the link's
    code), which take the place of any it had; everything else of it stays as it is. ASCII alone."""
    context = urlsplit(url)
    tracking = {"utm_source": network, "utm_medium": MEDIUM, "utm_campaign": campaign, "utm_content": code}
    kept = [
        pair
        for pair in context.query.split("&")
        if pair and next((name for name, _ in parse_qsl(pair, keep_blank_values=True)), "") not in tracking
    ]
    query = "&".join([*kept, *(f"{name}={quote(value, safe='')}" for name, value in tracking.items())])
    return urlunsplit(
        (
            context.scheme,
            _host(context.netloc),
            quote(context.path, safe=_SAFE),
            quote(query, safe=_SAFE),
            _fragment(context.fragment),
        )
    )


def _fragment(fragment: str) -> str:
    return quote(fragment, safe=_SAFE)


def _host(netloc: str) -> str:
    """The host as it travels: international names in their ASCII form."""
    if netloc.isascii():
        return netloc
    return ".".join(label.encode("idna").decode() if not label.isascii() else label for label in netloc.split("."))


def slug(name: str) -> str:
    """A programme's name as a campaign: lower case, ASCII letters and digits with hyphens between; may be empty."""
    folded = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:60]
