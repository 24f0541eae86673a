"""Paths of the APIs and of pages, made of segments: what an id holds never changes which resource is meant."""

from __future__ import annotations

from typing import Final, NewType
from urllib.parse import quote

ApiPath = NewType("ApiPath", str)
"""A path of an API; `v1` makes it."""


OF_A_MOMENT: Final = frozenset(("toast", "count", "of"))
"""What an address says once, of what was done before."""


class NoSuchPath(ValueError):
    """No resource has such a path: a segment is empty, or holds a slash."""


def v1(*segments: str) -> ApiPath:
    """The path of a resource of an API: `/v1/feed/<id>` of "feed" and an id. Raises NoSuchPath."""
    return ApiPath("/v1" + _joined(segments))


def page(*segments: str) -> str:
    """The path of a page of ours. Raises NoSuchPath."""
    return _joined(segments)


def safe_path(path: str) -> str:
    """The path if it is one of ours: nothing that a browser could read as another host."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return path


def _joined(segments: tuple[str, ...]) -> str:
    return "".join(f"/{_quoted(one)}" for one in segments)


def _quoted(segment: str) -> str:
    """A server reads %2F as a slash, and a client takes dot segments out: both would reach another resource."""
    if not segment or "/" in segment:
        raise NoSuchPath(segment)
    try:
        found = quote(segment, safe="@:")
    except UnicodeEncodeError:  # half of a surrogate pair
        raise NoSuchPath(segment) from None
    return found.replace(".", "%2E") if not segment.strip(".") else found
