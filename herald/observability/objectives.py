"""The service level objectives, and the alerts on how fast their error budgets burn.

Windows and factors are those of the Site Reliability Workbook (Beyer et al., O'Reilly 2018), chapter 5, table 5-8: a
page where 2 % of the budget of 30 days burns within an hour or 5 % within six, a ticket where 10 % burns within three
days. The short window of each pair lets an alert end soon after its cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Objective:
    """A share of events that are to be good, of all within 30 days, by service.

    `bad` and `all` are PromQL for events a second, with `WINDOW` for the window.
    """

    name: str
    alert: str
    target: float
    bad: str
    all: str
    runbook: str
    summary: str


@dataclass(frozen=True, slots=True)
class Burn:
    """An alert on a budget: `factor` times as fast as would use it up in 30 days."""

    factor: float
    long: str
    short: str
    severity: str
    lost: str


BURNS: Final = (
    Burn(14.4, "1h", "5m", "page", "2 % of the budget of 30 days within an hour"),
    Burn(6, "6h", "30m", "page", "5 % of the budget of 30 days within six hours"),
    Burn(1, "3d", "6h", "ticket", "10 % of the budget of 30 days within three days"),
)
MIN_BAD: Final = 5
"""Fewer bad events within the long window wake nobody: where little happens, one failure is a large share of all."""

_HTTP: Final = "http_server_request_duration_seconds"
_NO_STREAM: Final = 'http_route!~".*/live"'
_REDIRECT: Final = "herald_links_redirect_seconds"
_EFFECT: Final = "herald_commit_to_effect_seconds"


def _sum(selector: str) -> str:
    return f"sum by (service) (rate({selector}[WINDOW]))"


def _slower(metric: str, seconds: float, matchers: str = "") -> str:
    fast = ",".join(filter(None, (f'le="{float(seconds)}"', matchers)))
    return f"{_sum(f'{metric}_count{{{matchers}}}')} - {_sum(f'{metric}_bucket{{{fast}}}')}"


OBJECTIVES: Final = (
    Objective(
        "api-availability",
        "HeraldRequestsFail",
        0.999,
        bad=_sum(f'{_HTTP}_count{{http_response_status_code=~"5.."}}'),
        all=_sum(f"{_HTTP}_count"),
        runbook="requests.md",
        summary="requests are answered 5xx",
    ),
    Objective(
        "api-latency",
        "HeraldRequestsAreSlow",
        0.99,
        bad=_slower(_HTTP, 1, _NO_STREAM),
        all=_sum(f"{_HTTP}_count{{{_NO_STREAM}}}"),
        runbook="requests.md",
        summary="requests take longer than 1 s",
    ),
    Objective(
        "redirect-availability",
        "HeraldRedirectsFail",
        0.9995,
        bad=_sum('herald_links_answers_total{status=~"5.."}'),
        all=_sum("herald_links_answers_total"),
        runbook="redirects.md",
        summary="visitors of short links are answered 5xx",
    ),
    Objective(
        "redirect-latency",
        "HeraldRedirectsAreSlow",
        0.99,
        bad=_slower(_REDIRECT, 0.25),
        all=_sum(f"{_REDIRECT}_count"),
        runbook="redirects.md",
        summary="visitors of short links wait longer than 250 ms",
    ),
    Objective(
        "freshness",
        "HeraldEffectsComeLate",
        0.99,
        bad=_slower(_EFFECT, 5),
        all=_sum(f"{_EFFECT}_count"),
        runbook="commit-to-effect.md",
        summary="events have their effect later than 5 s after they were committed",
    ),
)
WINDOWS: Final = ("5m", "30m", "1h", "6h", "3d")


def ratio(window: str) -> str:
    """The name of the recorded share of bad events within `window`."""
    return f"herald:slo_bad:ratio_rate{window}"


def groups() -> list[Rule]:
    """Rule groups as Prometheus reads them."""
    return [
        {"name": "herald-objectives", "rules": [*_targets(), *_ratios()]},
        {"name": "herald-budgets", "rules": list(_alerts())},
    ]


def _targets() -> Iterator[Rule]:
    for one in OBJECTIVES:
        yield {"record": "herald:slo:target", "labels": {"slo": one.name}, "expr": f"vector({one.target})"}


def _ratios() -> Iterator[Rule]:
    for one in OBJECTIVES:
        for window in WINDOWS:
            bad, all_ = (text.replace("WINDOW", window) for text in (one.bad, one.all))
            yield {
                "record": ratio(window),
                "labels": {"slo": one.name},
                "expr": f"(({bad}) or {all_} * 0)\n/ {all_}",
            }


def _alerts() -> Iterator[Rule]:
    for one in OBJECTIVES:
        for severity in ("page", "ticket"):
            burns = [burn for burn in BURNS if burn.severity == severity]
            yield {
                "alert": one.alert,
                "expr": "\nor\n".join(_burning(one, burn) for burn in burns),
                "labels": {"severity": severity, "slo": one.name},
                "annotations": {
                    "summary": f"{{{{ $labels.service }}}}: {one.summary}",
                    "description": (
                        f"{{{{ $value | humanizePercentage }}}} of all, with an objective of {one.target:.2%} good. "
                        f"It uses up {', or '.join(burn.lost for burn in burns)}."
                    ),
                    "runbook_url": f"docs/runbooks/{one.runbook}",
                },
            }


def _burning(one: Objective, burn: Burn) -> str:
    limit = f"{burn.factor} * (1 - {one.target})"
    long, short = (f'{ratio(window)}{{slo="{one.name}"}} > {limit}' for window in (burn.long, burn.short))
    enough = one.bad.replace("rate(", "increase(").replace("WINDOW", burn.long)
    return f"(\n  {long}\n  and {short}\n  and on (service) ({enough}) >= {MIN_BAD}\n)"


def scaled(rules: list[Rule], seconds: Mapping[str, str]) -> list[Rule]:
    """The same rules with other durations, such as `{"1h": "60s"}`, to try them within minutes."""

    def shorter(text: str) -> str:
        for long, short in seconds.items():
            text = text.replace(f"[{long}]", f"[{short}]").replace(f"offset {long}", f"offset {short}")
        return text

    def change(rule: Rule) -> Rule:
        found = {**rule, "expr": shorter(rule["expr"])}
        if "for" in rule:
            found["for"] = seconds[rule["for"]]
        return found

    return [{**group, "rules": [change(rule) for rule in group["rules"]]} for group in rules]
