"""The panels of the dashboards on a real Prometheus: what each query returns, under which legends, and as a picture.

A picture is drawn of the data alone, to look at: Grafana draws it with its own colours and axes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from herald.observability.dashboards import DASHBOARDS
from herald.observability.grafana import WIDTH, Dashboard, Panel
from tests.browser import desktop, start_browser
from tests.peers.prometheus import Prometheus

LABEL = re.compile(r"\{\{(\w+)\}\}")
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300")
MAY_LACK = {"service", "topic", "http_route"}
"""Labels that not every series of a panel has: an alert on the whole, a loss of no topic yet, a path of no route."""
RATE = "15s"
"""What `$__rate_interval` is here, at a scrape a second."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel: its legend and its values at times."""

    legend: str
    points: Sequence[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.points[-1][1] if self.points else float("nan")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel with its data."""

    page: str
    panel: Panel
    series: Sequence[Series]
    wrong: str = ""


def filled(expr: str, chosen: dict[str, str], seconds: float) -> str:
    """The query as Grafana would send it."""
    expr = expr.replace("$__rate_interval", RATE).replace("$__range", f"{seconds:.0f}s")
    for name, value in chosen.items():
        expr = expr.replace(f"${name}", value)
    return expr


def told_of(legend: str, labels: Mapping[str, str]) -> str:
    """The legend with the labels of a series in their places."""
    return LABEL.sub(lambda found: labels.get(found[1], ""), legend).strip()


async def look(
    prometheus: Prometheus, name: str, page: Dashboard, chosen: dict[str, str], seconds: float
) -> list[Drawn]:
    """Every panel of a page over the last `seconds`."""
    return [await _panel(prometheus, name, panel, chosen, seconds) for panel in page.panels]


async def _panel(prometheus: Prometheus, name: str, panel: Panel, chosen: dict[str, str], seconds: float) -> Drawn:
    found, wrong = [], ""
    for query in panel.queries:
        expr = filled(query.expr, chosen, seconds)
        if panel.kind == "table":
            rows = [{**one, "values": [one["value"]]} for one in await prometheus.now(expr)]
        else:
            rows = await prometheus.series(expr, seconds)
        for row in rows:
            missing = {label for label in LABEL.findall(query.legend) if label not in row["metric"]} - MAY_LACK
            if missing:
                wrong = f"the legend {query.legend} lacks {missing} in {row['metric']}"
            legend = told_of(query.legend, row["metric"])
            points = [(float(at), float(value)) for at, value in row["values"] if value not in ("NaN", "+Inf")]
            if points:
                found.append(Series(legend, points))
    if not wrong and len({one.legend for one in found}) < len(found) and panel.kind == "timeseries":
        wrong = f"two lines have one legend: {sorted(one.legend for one in found)}"
    return Drawn(name, panel, found, wrong)


# --- pictures --------------------------------------------------------------------------------------------------------


def told(value: float, unit: str) -> str:
    """A value as a person reads it."""
    if value != value:
        return "no data"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "bytes":
        for name in ("B", "KiB", "MiB", "GiB"):
            if value < 1024 or name == "GiB":
                return f"{value:.3g} {name}"
            value /= 1024
    suffix = {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")
    return f"{value:.3g}{suffix}" if value < 10_000 else f"{value:,.0f}{suffix}"


def _chart(one: Drawn, wide: int, high: int) -> str:
    series = one.series
    times = [at for line in series for at, _ in line.points]
    if not times:
        return '<p class="none">no data</p>'
    first, last = min(times), max(times)
    lows = [value for line in series for _, value in line.points]
    alarm = one.panel.alarm or 0.0
    top = (max([*lows, alarm if max(lows) > alarm / 4 else 0.0]) or 1.0) * 1.05
    left, foot = 64, 18

    def place(at: float, value: float) -> str:
        x = left + (at - first) / max(1e-9, last - first) * (wide - left - 6)
        return f"{x:.1f},{(1 - value / top) * (high - foot - 6) + 6:.1f}"

    parts = [f'<svg viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">']
    for share in (0, 0.5, 1):
        y = (1 - share / 1.05) * (high - foot - 6) + 6
        parts.append(f'<line x1="{left}" x2="{wide - 6}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{told(top / 1.05 * share, one.panel.unit)}</text>'
        )
    for share in (0, 0.5, 1):
        at = datetime.fromtimestamp(first + (last - first) * share, UTC)
        anchor = ("start", "middle", "end")[round(share * 2)]
        x = left + share * (wide - left - 6)
        parts.append(f'<text x="{x:.1f}" y="{high - 3}" text-anchor="{anchor}">{at:%H:%M:%S}</text>')
    if one.panel.alarm is not None and one.panel.alarm <= top:
        _, height = place(first, one.panel.alarm).split(",")
        parts.append(f'<line x1="{left}" x2="{wide - 6}" y1="{height}" y2="{height}" class="alarm"/>')
    for number, line in enumerate(series):
        points = " ".join(place(at, value) for at, value in line.points)
        parts.append(f'<polyline points="{points}" stroke="{COLOURS[number % len(COLOURS)]}"/>')
    legend = "".join(
        f'<li><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(line.legend)}'
        f"<b>{told(line.last, one.panel.unit)}</b></li>"
        for number, line in enumerate(series[:8])
    )
    more = f"<li>and {len(series) - 8} more</li>" if len(series) > 8 else ""
    return "".join(parts) + f"</svg><ul>{legend}{more}</ul>"


def _body(one: Drawn, wide: int, high: int) -> str:
    if one.panel.kind == "stat":
        value = one.series[0].last if one.series else float("nan")
        red = one.panel.alarm is not None and value >= one.panel.alarm
        text = f"{value:.0f}" if one.panel.decimals == 0 else told(value, one.panel.unit)
        return f'<p class="stat{" red" if red else ""}">{text}</p>'
    if one.panel.kind == "table":
        rows = "".join(
            f"<tr><td>{escape(line.legend)}</td><td>{told(line.last, one.panel.unit)}</td></tr>"
            for line in one.series[:12]
        )
        return f"<table>{rows}</table>" if rows else '<p class="none">nothing</p>'
    return _chart(one, wide, high)


STYLE = """
body{margin:0;background:#111217;color:#ccccdc;font:13px/1.4 system-ui,sans-serif;width:1320px;padding:14px}
h1{font-size:19px;margin:0 0 4px}h2{font-size:15px;margin:14px 0 6px}h3{font-size:13px;margin:0;font-weight:600}
.row{display:flex;flex-wrap:wrap;gap:8px}
section{background:#181b1f;border:1px solid #2b2e33;border-radius:3px;padding:7px 9px;box-sizing:border-box}
.d{color:#8e8e99;font-size:11px;margin:0 0 4px}
svg text{fill:#8e8e99;font-size:10px}.grid{stroke:#2b2e33}.alarm{stroke:#e24d42;stroke-dasharray:5 4}
polyline{fill:none;stroke-width:1.4}
ul{list-style:none;margin:2px 0 0;padding:0;font-size:11px}li{display:flex;gap:6px;align-items:center}
li i{width:10px;height:3px;flex:none}li b{margin-left:auto;font-weight:500}
.stat{font-size:30px;margin:4px 0;color:#73bf69;text-align:center}.red{color:#e24d42}
.none{color:#8e8e99;text-align:center;margin:30px 0}
table{width:100%;font-size:12px;border-collapse:collapse}
td{border-top:1px solid #2b2e33;padding:2px 0}td:last-child{text-align:right}
"""


def html(page: Dashboard, drawn: Sequence[Drawn]) -> str:
    """A page with its panels where Grafana would have them."""
    by_title = {one.panel.title: one for one in drawn}
    parts = [f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><h1>{escape(page.title)}</h1>"]
    parts.append(f'<p class="d">{escape(page.description)}</p>')
    for row in page.rows:
        parts.append(f'<h2>{escape(row.title)}</h2><div class="row">')
        for panel in row.panels:
            wide = 1320 * panel.width // WIDTH - 8
            parts.append(
                f'<section style="width:{wide}px"><h3>{escape(panel.title)}</h3>'
                f'<p class="d">{escape(panel.description)}</p>'
                f"{_body(by_title[panel.title], wide - 22, 150)}</section>"
            )
        parts.append("</div>")
    return "".join(parts)


async def draw(folder: Path, drawn: Sequence[Drawn]) -> list[Path]:
    """A picture of each page, by the name of its dashboard."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    async with start_browser() as browser:
        context = await desktop(browser)
        sheet = await context.new_page()
        await sheet.set_viewport_size({"width": 1350, "height": 900})
        for name, page in DASHBOARDS.items():
            await sheet.set_content(html(page, [one for one in drawn if one.page == name]))
            paths.append(folder / f"dashboard-{name}.png")
            await sheet.screenshot(path=paths[-1], full_page=True)
        await context.close()
    return paths
