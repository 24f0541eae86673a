"""What the browser loads besides pages: our own files, and htmx and the typeface out of their packages.

Each is read once and served under a name that has its hash in it, so that a browser may keep it for good.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cramjam
from starlette.requests import Request
from starlette.responses import Response

OWN = files("services.hub") / "static"
FROM_PACKAGES = {
    "htmx.js": files("js_lib_htmx") / "static" / "htmx" / "htmx.min.js",
    "figtree.ttf": files("fontpkg_figtree") / "files" / "Figtree[wght].ttf",
}
JOINED = {"herald.js": ("herald.js", "forms.js")}
"""Files of ours that come as one, which is one request less."""
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".ttf": "font/ttf", ".js": "text/javascript", ".webmanifest": "application/manifest+json"}
_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")
_UNREAD = re.compile(rb"^[ \t]*//.*\n|^[ \t]+", re.MULTILINE)
FONT_REFERENCE = b"url(figtree.ttf)"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `packed` by content coding, the smallest first."""

    content: bytes
    packed: Mapping[str, bytes]
    media_type: str
    digest: str


class Assets:
    """All assets, in memory."""

    def __init__(self) -> None:
        own = {one.name: _bare(one.name, one.read_bytes()) for one in OWN.iterdir() if one.is_file()}
        for name, parts in JOINED.items():
            own[name] = b"".join([own.pop(part) for part in parts])
        self._all = {name: _asset(name, path.read_bytes()) for name, path in FROM_PACKAGES.items()}
        self._all |= {name: _asset(name, content) for name, content in own.items()}
        self._all["herald.css"] = self._with_font(self._all["herald.css"])

    def url(self, name: str) -> str:
        """Where a browser finds an asset. Raises KeyError if there is none of that name."""
        return f"/static/{self._all[name].digest}/{name}"

    @property
    def version(self) -> str:
        """Changes when any asset does."""
        return hashlib.sha256("".join(sorted(one.digest for one in self._all.values())).encode()).hexdigest()[:12]

    def named(self, name: str) -> Asset:
        return self._all[name]

    async def serve(self, request: Request) -> Response:
        """`/static/{digest}/{name}`; an old digest gets the present file, but is not told to keep it."""
        asset = self._all.get(request.path_params["name"])
        if asset is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        fresh = request.path_params["digest"] == asset.digest
        return respond(request, asset, FOREVER if fresh else "no-cache")

    def _with_font(self, style: Asset) -> Asset:
        return _asset("herald.css", style.content.replace(FONT_REFERENCE, f"url({self.url('figtree.ttf')})".encode()))


def respond(request: Request, asset: Asset, cache: str) -> Response:
    """The asset, packed where the browser can unpack it."""
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding", "ETag": f'"{asset.digest}"'}
    accepted = _codings(request.headers.get("accept-encoding", ""))
    for coding, packed in asset.packed.items():
        if coding in accepted:
            return Response(packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": coding})
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _codings(accept: str) -> frozenset[str]:
    """The content codings of an Accept-Encoding, without those of quality 0."""
    each = (one.partition(";") for one in accept.lower().split(","))
    return frozenset(name.strip() for name, _, quality in each if not _REFUSED.fullmatch(quality.strip()))


def _bare(name: str, content: bytes) -> bytes:
    """A script of ours without its indentation and its lines of comment, which nobody's browser has to load."""
    return _UNREAD.sub(b"", content) if name.endswith(".js") else content


def _asset(name: str, content: bytes) -> Asset:
    suffix = name[name.rindex(".") :]
    media_type = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return Asset(content, _packed(content), media_type, hashlib.sha256(content).hexdigest()[:12])


@cache
def _packed(content: bytes) -> Mapping[str, bytes]:
    """Browsers take Brotli over HTTPS and from their own machine alone."""
    return {"br": bytes(cramjam.brotli.compress(content, level=11)), "gzip": gzip.compress(content, 9, mtime=0)}
