"""Chooses the picture of an entry that shows best what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

SMALL: Final = 200
"""Pixels of width below which a picture is a thumbnail."""
LARGE: Final = 2048
"""Pixels of width beyond which a smaller rendition is preferred."""
PIXEL: Final = 8
"""Pixels of width or height below which it is a tracking pixel or a spacer."""

Place = Literal["media", "itunes", "thumbnail", "text"]
_PLACES: Final[tuple[Place, ...]] = ("media", "itunes", "thumbnail", "text")

_IMAGE: Final = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|jfif)$", re.I)
_AUDIO: Final = re.compile(r"\.(?:mp3|m4a|m4b|aac|oga|ogg|opus|wav|flac)$", re.I)
_VIDEO: Final = re.compile(r"\.(?:mp4|m4v|mov|webm|ogv|avi|mkv|m3u8)$", re.I)
_AVATAR: Final = re.compile(
    r"gravatar\.com/|/avatars?[/_.\-]|avatar\.(?:jpe?g|png|webp|gif)|profile_images/|/userpics?/|/buddyicons/|"
    r"/profile[_-](?:pic|photo|image)",
    re.I,
)
_COUNTER: Final = re.compile(
    r"feedburner\.com/~|feedsportal\.com|doubleclick\.net|pixel\.wp\.com|stats\.wordpress\.com|/wp-includes/images/|"
    r"s\.w\.org/images/core/emoji|/(?:pixel|spacer|blank|transparent|clear|1x1|count(?:er)?|track(?:er|ing)?)"
    r"(?:[./?_-]|$)",
    re.I,
)
_CLASSES: Final = re.compile(r"\b(?:avatar|emoji|wp-smiley|smiley|custom-emoji|tracking)\b", re.I)
_SIZES: Final = (
    re.compile(r"[-_/](\d{2,4})x(\d{2,4})(?:[._/-]|$)", re.I),
    re.compile(r"/s(\d{2,4})(?:-c)?/"),
    re.compile(r"[?&](?:w|width)=(\d{2,4})(?:&|$)"),
)
"""Widths that addresses of well-known systems name."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that an entry has, where it stands; sizes in pixels, None where nobody says."""

    url: str
    place: Place
    width: int | None = None
    height: int | None = None
    default: bool = False
    label: str = ""
    """Classes or a title that say what it is."""

    @property
    def side(self) -> int | None:
        if self.width is not None:
            return self.width
        for pattern in _SIZES:
            if (found := pattern.search(self.url)) is not None:
                return int(found[1])
        return self.height


def best(pictures: Iterable[Picture]) -> str | None:
    """The address of the picture to show: the default rendition, of sensible size; never a tracking pixel or an avatar,
    and a thumbnail only if there is nothing else."""
    fit = [one for one in pictures if not _unfit(one)]
    return min(fit, key=_order).url if fit else None


def _unfit(picture: Picture) -> bool:
    sides = (picture.width, picture.height, picture.side)
    if any(side is not None and side < PIXEL for side in sides):
        return True
    return bool(_AVATAR.search(picture.url) or _COUNTER.search(picture.url) or _CLASSES.search(picture.label))


def _order(picture: Picture) -> tuple[int, bool, int, int]:
    side = picture.side
    small = side is not None and side < SMALL
    large = side is not None and side > LARGE
    within = -side if side is not None and not large else side or 0
    return (2 if small else 1 if large else 0), not picture.default, _PLACES.index(picture.place), within


def medium_of(address: str, type_: str = "", medium: str = "") -> str:
    """``image``, ``audio``, ``video`` or ``""``: by what is said of it, else by how its address ends."""
    for said in (medium, type_.partition("/")[0].strip()):
        if said.lower() in ("image", "audio", "video"):
            return said.lower()
    if type_ and type_.partition("/")[0].strip().lower() not in ("application", "binary", "unknown"):
        return ""
    try:
        path = urlsplit(address.strip()).path
    except ValueError:
        return ""
    for name, pattern in (("image", _IMAGE), ("audio", _AUDIO), ("video", _VIDEO)):
        if pattern.search(path):
            return name
    return ""


def shown_in(images: Iterable[Mapping[str, str]]) -> list[Picture]:
    """Pictures of a text, by the attributes of their elements."""
    return [
        Picture(
            one["src"],
            "text",
            pixels(one.get("width")),
            pixels(one.get("height")),
            label=f"{one.get('class', '')} {one.get('alt', '')}",
        )
        for one in images
        if one.get("src")
    ]


def pixels(written: str | None) -> int | None:
    """A size as attributes write it, such as ``640`` or ``640px``."""
    found = re.match(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*$", written or "")
    return int(found[1]) if found else None
