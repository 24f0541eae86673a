"""What a visitor sees where there is no link to follow: small pages of their own, in French or English."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape

from services.sharing.messages import message

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.6 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;"
    "background:#f6f4ef;color:#1d2430}"
    "main{max-width:32rem;padding:2rem;text-align:center}h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}"
    "p{margin:0}@media(prefers-color-scheme:dark){body{background:#14181f;color:#e9e6df}}"
)
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)


def language_of(accepted: str) -> str:
    """French or English, whichever `Accept-Language` prefers; English where it names neither."""
    best, quality = "en", 0.0
    for part in accepted[:512].lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted = float(weight or 1)
        except ValueError:
            continue
        base = tag.strip().partition("-")[0]
        if base in ("fr", "en") and wanted > quality:
            best, quality = base, wanted
    return best


@cache
def page(what: str, language: str) -> bytes:
    """The page `missing`, `busy` or `too-many`."""
    title, text = (escape(message(key, language)) for key in (f"link-{what}", f"link-{what}-help"))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    ).encode()
