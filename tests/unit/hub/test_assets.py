"""Assets are packed as the browser says that it unpacks them."""

import gzip
from collections.abc import Callable

import cramjam
import pytest
from starlette.requests import Request

from services.hub.assets import FOREVER, Assets, respond

UNPACK: dict[str | None, Callable[[bytes], bytes]] = {
    "br": lambda packed: bytes(cramjam.brotli.decompress(packed)),
    "gzip": gzip.decompress,
    None: lambda packed: packed,
}


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("BR;q=0.5, gzip", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip; q=0.0", None),
        ("broken, gzipped", None),
        ("", None),
    ],
)
def test_an_asset_comes_as_it_is_accepted(accept: str, coding: str | None) -> None:
    asset = Assets().named("herald.css")
    request = Request({"type": "http", "headers": [(b"accept-encoding", accept.encode())]})
    answer = respond(request, asset, FOREVER)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert UNPACK[coding](bytes(answer.body)) == asset.content


def test_brotli_is_the_smallest() -> None:
    for name in ("htmx.js", "figtree.ttf", "herald.css", "herald.js"):
        asset = Assets().named(name)
        first, second = (len(packed) for packed in asset.packed.values())
        assert first < second < len(asset.content)
