"""A programme's colour: legible on the light and the dark theme, whichever a person has."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from typing import Final

from chassis.web.problems import Invalid

LIGHT: Final = "#ffffff"
DARK: Final = "#12101b"
INK: Final = "#000000"
MIN_CONTRAST: Final = 3.0
"""Of what is no text, against what is beside it (WCAG 2.2, 1.4.11)."""
_STEPS: Final = 200


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2.2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_colour(colour: str) -> str:
    """White or black, whichever is read better on it; one of them always has a contrast of 4.5 and more."""
    return max((LIGHT, INK), key=lambda one: contrast(one, colour))


def check_colour(colour: str) -> None:
    """Raises Invalid `contrast`, with the nearest shade that is seen on both themes as `suggestion`."""
    if not is_seen(colour):
        suggestion = nearest(colour)
        raise Invalid.one(
            "colour",
            "contrast",
            f"It can hardly be seen on one of the themes: take {suggestion}.",
            suggestion=suggestion,
        )


def is_seen(colour: str) -> bool:
    """Whether a colour stands out from the light and from the dark theme."""
    return min(contrast(colour, LIGHT), contrast(colour, DARK)) >= MIN_CONTRAST


def nearest(colour: str) -> str:
    """The shade of the same hue that is seen on both themes and whose lightness is nearest."""
    return next(one for one in _shades(colour) if is_seen(one))


def _shades(colour: str) -> Iterator[str]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    levels = sorted((step / _STEPS for step in range(_STEPS + 1)), key=lambda one: abs(one - lightness))
    for level in levels:
        parts = colorsys.hls_to_rgb(hue, level, saturation)
        yield "#" + "".join(f"{round(255 * one):02x}" for one in parts)
