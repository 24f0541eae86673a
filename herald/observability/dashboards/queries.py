"""Metrics, labels and queries that several pages share."""

from __future__ import annotations

from typing import Final

from herald.observability.grafana import Query
from herald.observability.objectives import ratio

REQUESTS: Final = "http_server_request_duration_seconds"
COUNT: Final = f"{REQUESTS}_count"
EFFECT: Final = "herald_commit_to_effect_seconds"
REDIRECT: Final = "herald_links_redirect_seconds"
CHOSEN: Final = 'service=~"$service"'
NO_STREAM: Final = 'http_route!~".*/live"'
FAILED: Final = 'http_response_status_code=~"5.."'
BY_ROUTE: Final = "http_request_method, http_route"
IN_PROGRAM: Final = 'service=~"program|content"'
CPU: Final = "rate(process_cpu_seconds_total[$__rate_interval])"
PROCESS: Final = "{{service}} {{role}} {{instance}}"
OF_PROCESS: Final = 'service=~"$service|all"'


def quantiles(metric: str, matchers: str, *, exemplars: bool = True) -> list[Query]:
    return [
        Query(
            f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{{matchers}}}[$__rate_interval])))",
            f"{share:.0%} wait at most",
            exemplars=exemplars and share == 0.99,
        )
        for share in (0.5, 0.95, 0.99)
    ]


def quantile_by(metric: str, matchers: str, by: str, legend: str) -> Query:
    rates = f"sum by (le, {by}) (rate({metric}_bucket{{{matchers}}}[$__rate_interval]))"
    return Query(f"histogram_quantile(0.99, {rates})", legend)


def slowest(metric: str, matchers: str, by: str) -> str:
    """The ten with the longest 99th percentile of the period; those that nothing was measured of are left out."""
    rates = f"sum by (le, {by}) (rate({metric}_bucket{{{matchers}}}[$__range]))"
    return f"topk(10, histogram_quantile(0.99, {rates}) >= 0)"


def rate(metric: str, by: str, matchers: str = "") -> str:
    """A second, by labels."""
    selected = f"{metric}{{{matchers}}}" if matchers else metric
    return f"sum by ({by}) (rate({selected}[$__rate_interval]))" if by else f"sum(rate({selected}[$__rate_interval]))"


def counted(metric: str, matchers: str) -> str:
    return f"sum(increase({metric}{{{matchers}}}[$__range])) or vector(0)"


def burn(window: str) -> str:
    return f"{ratio(window)} / on (slo) group_left () (1 - herald:slo:target)"


FAILING: Final = f"({rate(COUNT, 'service', FAILED)} or {rate(COUNT, 'service')} * 0) / {rate(COUNT, 'service')}"
APPLIED: Final = "herald_consumer_applied_total"
PUBLISHED: Final = "herald_outbox_published_total"
CHOOSE_SERVICE: Final = "label_values(herald_background_restarts_total, service)"
