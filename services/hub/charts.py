"""Charts as geometry: numbers in, points and lengths out, for templates that draw SVG.

Every chart is drawn in a box of 600 by 220 units with the plot inside of it, and goes with a list of its figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 12.0, 26.0
PLOT_WIDTH = WIDTH - LEFT - RIGHT
PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
BASELINE = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the plot and what is written beside it."""

    value: float
    y: float


@dataclass(frozen=True, slots=True)
class Lines:
    """One line a series, over the same places on the x axis."""

    xs: tuple[float, ...]
    paths: tuple[str, ...]
    area: str
    ends: tuple[tuple[float, float], ...]
    ticks: tuple[Tick, ...]
    labelled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar: its label, its value, and its length as a share of the longest (0 to 100)."""

    label: str
    value: float
    share: float


def ceiling(value: float) -> float:
    """The next number up that reads well on an axis: 1, 2, 2.5 or 5 times a power of ten; at least 4."""
    if value <= 4:
        return 4.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if value <= step * power)


def lines(series: Sequence[Sequence[float]], labels: int = 6) -> Lines:
    """The lines of series of the same length; at most `labels` places of the x axis carry a label."""
    count = len(series[0]) if series else 0
    top = ceiling(max((max(one, default=0) for one in series), default=0))
    step = PLOT_WIDTH / max(1, count - 1)
    xs = tuple(round(LEFT + (index * step if count > 1 else PLOT_WIDTH / 2), 1) for index in range(count))

    def y(value: float) -> float:
        return round(BASELINE - value / top * PLOT_HEIGHT, 1)

    points = [[(x, y(value)) for x, value in zip(xs, one, strict=True)] for one in series]
    first = _path(points[0]) if points and points[0] else ""
    every = max(1, math.ceil(count / labels))
    return Lines(
        xs=xs,
        paths=tuple(_path(one) for one in points),
        area=f"{first}V{BASELINE}H{xs[0]}Z" if first else "",
        ends=tuple(one[-1] for one in points if one),
        ticks=tuple(Tick(top * part / 4, y(top * part / 4)) for part in range(5)),
        labelled=tuple(range(count - 1, -1, -every))[::-1],
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if index else 'M'}{x} {y}" for index, (x, y) in enumerate(points))


def bars(values: Sequence[tuple[str, float]], most: int = 8) -> list[Bar]:
    """The largest values, longest first."""
    ranked = sorted(values, key=lambda one: (-one[1], one[0]))[:most]
    top = max((value for _, value in ranked), default=0) or 1
    return [Bar(label, value, round(value / top * 100, 1)) for label, value in ranked]


def ring(share: float, radius: float = 42.0) -> tuple[float, float]:
    """Dash and gap of a circle that is drawn for a share from 0 to 1."""
    around = 2 * math.pi * radius
    drawn = around * min(1.0, max(0.0, share))
    return round(drawn, 1), round(around - drawn, 1)
