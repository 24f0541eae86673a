"""The dashboards: the whole, one service, the consumers, links and mail."""

from __future__ import annotations

from typing import Final

from herald.observability.grafana import Choice, Dashboard, Panel, Query, Row
from herald.observability.objectives import BURNS, ratio

_REQUESTS: Final = "http_server_request_duration_seconds"
_COUNT: Final = f"{_REQUESTS}_count"
_EFFECT: Final = "herald_commit_to_effect_seconds"
_REDIRECT: Final = "herald_links_redirect_seconds"
_SERVICE: Final = 'service=~"$service"'
_NO_STREAM: Final = 'http_route!~".*/live"'
_FAILED: Final = 'http_response_status_code=~"5.."'
_ROUTE: Final = "http_request_method, http_route"
_IN_PROGRAM: Final = 'service=~"program|content"'
_CPU: Final = "rate(process_cpu_seconds_total[$__rate_interval])"
_PROCESS: Final = "{{service}} {{role}} {{instance}}"
_OF_PROCESS: Final = 'service=~"$service|all"'


def _quantiles(metric: str, matchers: str, *, exemplars: bool = True) -> list[Query]:
    return [
        Query(
            f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{{matchers}}}[$__rate_interval])))",
            f"{share:.0%} wait at most",
            exemplars=exemplars and share == 0.99,
        )
        for share in (0.5, 0.95, 0.99)
    ]


def _quantile_by(metric: str, matchers: str, by: str, legend: str) -> Query:
    rates = f"sum by (le, {by}) (rate({metric}_bucket{{{matchers}}}[$__rate_interval]))"
    return Query(f"histogram_quantile(0.99, {rates})", legend)


def _slowest(metric: str, matchers: str, by: str) -> str:
    """The ten with the longest 99th percentile of the period; those that nothing was measured of are left out."""
    rates = f"sum by (le, {by}) (rate({metric}_bucket{{{matchers}}}[$__range]))"
    return f"topk(10, histogram_quantile(0.99, {rates}) >= 0)"


def _rate(metric: str, by: str, matchers: str = "") -> str:
    """A second, by labels."""
    selected = f"{metric}{{{matchers}}}" if matchers else metric
    return f"sum by ({by}) (rate({selected}[$__rate_interval]))" if by else f"sum(rate({selected}[$__rate_interval]))"


def _counted(metric: str, matchers: str) -> str:
    return f"sum(increase({metric}{{{matchers}}}[$__range])) or vector(0)"


def _burn(window: str) -> str:
    return f"{ratio(window)} / on (slo) group_left () (1 - herald:slo:target)"


_FAILING: Final = (
    f"({_rate(_COUNT, 'service', _FAILED)} or {_rate(_COUNT, 'service')} * 0) / {_rate(_COUNT, 'service')}"
)
_APPLIED: Final = "herald_consumer_applied_total"
_PUBLISHED: Final = "herald_outbox_published_total"

OVERVIEW: Final = Dashboard(
    "herald-overview",
    "Herald: is the job being done?",
    "People share, visitors click, ambassadors get their points, figures are right and in time.",
    [
        Row(
            "In this period",
            [
                Panel(
                    "Shares",
                    "Posts whose sharing reached the figures. The first one after a worker began is not seen to rise.",
                    [Query(_counted(_APPLIED, 'service="metrics",event_type=~"herald.PostShared.v.*"'), "shares")],
                    kind="stat",
                    width=4,
                    height=4,
                    decimals=0,
                ),
                Panel(
                    "Clicks",
                    "Visitors of short links who were sent on, and whose click was kept (robots included).",
                    [Query(_counted("herald_links_clicks_total", 'kept=~"kafka|spool"'), "clicks")],
                    kind="stat",
                    width=4,
                    height=4,
                    decimals=0,
                ),
                Panel(
                    "Engagements",
                    "Clicks after they were classified, and what networks count, as booked in the figures.",
                    [
                        Query(
                            _counted(_APPLIED, 'service="metrics",event_type=~"herald.EngagementRecorded.v.*"'),
                            "engagements",
                        )
                    ],
                    kind="stat",
                    width=4,
                    height=4,
                    decimals=0,
                ),
                Panel(
                    "Awards of points",
                    "Awards that left the service gamification; each may be of several points.",
                    [
                        Query(
                            _counted(_PUBLISHED, 'service="gamification",event_type=~"herald.PointsAwarded.v.*"'),
                            "awards",
                        )
                    ],
                    kind="stat",
                    width=4,
                    height=4,
                    decimals=0,
                ),
                Panel(
                    "Figures are late by",
                    "From the commit of a fact to its effect on the figures, for 99 of 100 facts.",
                    [_quantile_by(_EFFECT, 'service="metrics"', "service", "99% at most")],
                    unit="s",
                    kind="stat",
                    width=4,
                    height=4,
                    alarm=5,
                    decimals=2,
                ),
                Panel(
                    "Alerts that fire",
                    "Each has a runbook: docs/runbooks.",
                    [Query('count(ALERTS{alertname=~"Herald.*",alertstate="firing"}) or vector(0)', "alerts")],
                    kind="stat",
                    width=4,
                    height=4,
                    alarm=1,
                    decimals=0,
                ),
            ],
        ),
        Row(
            "The job",
            [
                Panel(
                    "Posts",
                    "What became of posts, an hour. PostFailed: a network took a post for good or never.",
                    [
                        Query(
                            _rate(_PUBLISHED, "event_type", 'service="sharing",event_type=~"herald.Post.*"')
                            + " * 3600",
                            "{{event_type}}",
                        )
                    ],
                    unit="short",
                ),
                Panel(
                    "Clicks a second",
                    "A second: `spool` while Kafka was away, `drained` from there later, `lost` in no figure.",
                    [Query(_rate("herald_links_clicks_total", "kept"), "{{kept}}")],
                    unit="ops",
                ),
                Panel(
                    "Recognition",
                    "What ambassadors are thanked for, events an hour.",
                    [
                        Query(
                            _rate(_PUBLISHED, "event_type", 'service="gamification"') + " * 3600",
                            "{{event_type}}",
                        )
                    ],
                ),
                Panel(
                    "Delay of the figures",
                    "From the commit of a fact to its effect on the figures. A point leads to the trace.",
                    _quantiles(_EFFECT, 'service="metrics"'),
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Delay by service",
                    "From the commit of a fact to its effect in each service, for 99 of 100.",
                    [_quantile_by(_EFFECT, "", "service", "{{service}}")],
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "People",
                    "What ambassadors and managers do in the programme, events an hour.",
                    [
                        Query(
                            f"topk(8, {_rate(_PUBLISHED, 'event_type', _IN_PROGRAM)} * 3600)",
                            "{{event_type}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Promises",
            [
                Panel(
                    "How fast error budgets burn",
                    "1: the budget of 30 days lasts exactly 30 days. From 14.4 on, over an hour, somebody is paged.",
                    [Query(f"max by (slo) ({_burn('1h')})", "{{slo}}")],
                    alarm=BURNS[0].factor,
                ),
                Panel(
                    "Budgets over three days",
                    "The same over three days, by service: above 1 there will be nothing left at the end of 30 days.",
                    [Query(f"sort_desc(max by (slo, service) ({_burn('3d')}))", "{{slo}} {{service}}")],
                    kind="table",
                    alarm=1,
                    decimals=2,
                ),
                Panel(
                    "Alerts that fire now",
                    "docs/runbooks has a page for each.",
                    [
                        Query(
                            'max by (alertname, service, severity) (ALERTS{alertname=~"Herald.*",alertstate="firing"})',
                            "{{alertname}} {{service}} {{severity}}",
                        )
                    ],
                    kind="table",
                ),
                Panel(
                    "Requests",
                    "Requests a second, by service.",
                    [Query(_rate(_COUNT, "service"), "{{service}}")],
                    unit="reqps",
                ),
                Panel(
                    "Requests that fail",
                    "The share that was answered 5xx, by service.",
                    [
                        Query(
                            _FAILING,
                            "{{service}}",
                        )
                    ],
                    unit="percentunit",
                ),
                Panel(
                    "Requests that take long",
                    "99 of 100 requests take at most so long, by service; without open streams.",
                    [_quantile_by(_REQUESTS, _NO_STREAM, "service", "{{service}}")],
                    unit="s",
                    alarm=1,
                ),
            ],
        ),
    ],
)

_CHOOSE: Final = "label_values(herald_background_restarts_total, service)"

SERVICE: Final = Dashboard(
    "herald-service",
    "Herald: a service",
    "Rate, errors and duration of its requests; use, saturation and errors of its processes.",
    [
        Row(
            "Requests",
            [
                Panel(
                    "Rate",
                    "Requests a second, by status of the answer.",
                    [
                        Query(
                            _rate(_COUNT, "http_response_status_code", _SERVICE),
                            "{{http_response_status_code}}",
                        )
                    ],
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "Errors",
                    "Requests a second that were answered 5xx, by route; refused: too many were under way.",
                    [
                        Query(
                            _rate(_COUNT, _ROUTE, f"{_SERVICE},{_FAILED}"),
                            "{{http_request_method}} {{http_route}}",
                        ),
                        Query(_rate("herald_http_refused_total", "", _SERVICE), "refused (503)"),
                        Query(
                            _rate("herald_http_rate_limited_total", "", _SERVICE),
                            "limited (429)",
                        ),
                    ],
                    unit="reqps",
                ),
                Panel(
                    "Duration",
                    "How long requests take, without open streams. A point leads to the trace.",
                    _quantiles(_REQUESTS, f"{_SERVICE},{_NO_STREAM}"),
                    unit="s",
                    alarm=1,
                ),
                Panel(
                    "Slowest routes",
                    "99 of 100 requests of the route take at most so long, in this period.",
                    [
                        Query(
                            _slowest(_REQUESTS, f"{_SERVICE},{_NO_STREAM}", _ROUTE),
                            "{{http_request_method}} {{http_route}}",
                        )
                    ],
                    unit="s",
                    kind="table",
                    width=12,
                    decimals=3,
                ),
                Panel(
                    "Busiest routes",
                    "Requests a second of the ten busiest routes.",
                    [
                        Query(
                            f"topk(10, {_rate(_COUNT, _ROUTE, _SERVICE)})",
                            "{{http_request_method}} {{http_route}}",
                        )
                    ],
                    unit="reqps",
                    width=12,
                ),
            ],
        ),
        Row(
            "Processes",
            [
                Panel(
                    "CPU",
                    "Cores that each process uses; one is all that its event loop can use.",
                    [
                        Query(
                            f"rate(process_cpu_seconds_total{{{_OF_PROCESS}}}[$__rate_interval])",
                            _PROCESS,
                        )
                    ],
                    unit="percentunit",
                    alarm=0.9,
                ),
                Panel(
                    "Memory",
                    "Resident memory of each process.",
                    [Query(f"process_resident_memory_bytes{{{_OF_PROCESS}}}", _PROCESS)],
                    unit="bytes",
                ),
                Panel(
                    "Open files",
                    "Share of the file descriptors that each process may have; a connection is one.",
                    [
                        Query(
                            f"process_open_fds{{{_OF_PROCESS}}} / process_max_fds{{{_OF_PROCESS}}}",
                            _PROCESS,
                        )
                    ],
                    unit="percentunit",
                    alarm=0.8,
                ),
                Panel(
                    "Lateness of the event loop",
                    "The worst since the last look. From a tenth of a second on everything in the process is late.",
                    [Query(f"herald_loop_lag_seconds{{{_SERVICE}}}", _PROCESS)],
                    unit="s",
                    alarm=0.1,
                ),
                Panel(
                    "Requests under way",
                    "Places of each process that are taken; beyond HERALD_MAX_CONCURRENCY requests are refused.",
                    [Query(f"herald_http_under_way{{{_SERVICE}}}", _PROCESS)],
                ),
                Panel(
                    "Background tasks started again",
                    "Tasks that ended too early, by task, an hour.",
                    [
                        Query(
                            _rate("herald_background_restarts_total", "task", f'{_SERVICE},task!=""') + " * 3600",
                            "{{task}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Events",
            [
                Panel(
                    "Events that leave",
                    "Events a second that Kafka confirmed, by type.",
                    [
                        Query(
                            _rate(_PUBLISHED, "event_type", _SERVICE),
                            "{{event_type}}",
                        )
                    ],
                    unit="ops",
                    width=12,
                ),
                Panel(
                    "Age of the oldest event that waits",
                    "In the outbox, as the process with the relay's lease sees it.",
                    [Query(f"max by (service) (herald_outbox_oldest_age_seconds{{{_SERVICE}}})", "{{service}}")],
                    unit="s",
                    width=12,
                    alarm=60,
                ),
            ],
        ),
    ],
    [Choice("service", "Service", _CHOOSE)],
)

CONSUMERS: Final = Dashboard(
    "herald-consumers",
    "Herald: events and consumers",
    "From the commit of a fact to its effect: outbox, Kafka, consumers, and what could not be processed.",
    [
        Row(
            "From commit to effect",
            [
                Panel(
                    "Delay",
                    "From an event's commit to its effect, of all types. A point leads to the trace.",
                    _quantiles(_EFFECT, _SERVICE),
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Delay by service",
                    "99 of 100 events have their effect within so long, by the service that consumes.",
                    [_quantile_by(_EFFECT, _SERVICE, "service", "{{service}}")],
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Slowest types",
                    "99 of 100 events of the type have their effect within so long, in this period.",
                    [
                        Query(
                            _slowest(_EFFECT, _SERVICE, "service, event_type"),
                            "{{service}} {{event_type}}",
                        )
                    ],
                    unit="s",
                    kind="table",
                    decimals=3,
                ),
            ],
        ),
        Row(
            "Consumers",
            [
                Panel(
                    "Lag",
                    "Records that were not applied yet, by service and topic. A partition that nobody has is missing.",
                    [Query(f"sum by (service, topic) (herald_consumer_lag{{{_SERVICE}}})", "{{service}} {{topic}}")],
                ),
                Panel(
                    "Events applied",
                    "Events a second that had their effect, by service.",
                    [Query(_rate(_APPLIED, "service", _SERVICE), "{{service}}")],
                    unit="ops",
                ),
                Panel(
                    "Deliveries without an effect",
                    "Records a second that were passed over: not asked for, or applied before (repeat).",
                    [
                        Query(
                            _rate("herald_consumer_skipped_total", "service, reason", _SERVICE),
                            "{{service}} {{reason}}",
                        )
                    ],
                    unit="ops",
                ),
                Panel(
                    "Dead letters",
                    "Records that could not be processed, by rule, in the last quarter of an hour.",
                    [
                        Query(
                            f"sum by (service, rule) (increase(herald_deadletters_total{{{_SERVICE}}}[15m]))",
                            "{{service}} {{rule}}",
                        )
                    ],
                    decimals=0,
                ),
                Panel(
                    "Partitions that are paused",
                    "By the cap on dead letters.",
                    [Query(f"sum by (service, topic) (herald_consumer_paused{{{_SERVICE}}})", "{{service}} {{topic}}")],
                    alarm=1,
                    decimals=0,
                ),
                Panel(
                    "Records that were lost",
                    "Deleted by retention before they were consumed, in the last hour.",
                    [
                        Query(
                            f"sum by (service, topic) (increase(herald_consumer_lost_total{{{_SERVICE}}}[1h]))",
                            "{{service}} {{topic}}",
                        )
                    ],
                    alarm=1,
                    decimals=0,
                ),
            ],
        ),
        Row(
            "Outbox",
            [
                Panel(
                    "Age of the oldest event",
                    "That Kafka has not confirmed; below a second in normal operation.",
                    [Query(f"max by (service) (herald_outbox_oldest_age_seconds{{{_SERVICE}}})", "{{service}}")],
                    unit="s",
                    alarm=60,
                ),
                Panel(
                    "Events that leave",
                    "Events a second that Kafka confirmed, by service.",
                    [Query(_rate(_PUBLISHED, "service", _SERVICE), "{{service}}")],
                    unit="ops",
                ),
                Panel(
                    "Aggregates whose events wait",
                    "waiting: tried again by itself; set aside: an operator has to act.",
                    [
                        Query(f"max by (service) (herald_outbox_waiting_lanes{{{_SERVICE}}})", "{{service}} waiting"),
                        Query(f"max by (service) (herald_outbox_blocked_lanes{{{_SERVICE}}})", "{{service}} set aside"),
                    ],
                    decimals=0,
                ),
            ],
        ),
    ],
    [Choice("service", "Service", _CHOOSE, several=True)],
)

LINKS: Final = Dashboard(
    "herald-links",
    "Herald: links and mail",
    "What leads people in from outside: short links that were shared, and mails.",
    [
        Row(
            "Short links",
            [
                Panel(
                    "Visitors",
                    "Requests a second by status: 302 sent on, 404 no such link, 429 guessing, 503 busy.",
                    [Query(_rate("herald_links_answers_total", "status"), "{{status}}")],
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "How long visitors wait",
                    "Until their click is kept. A point leads to the trace.",
                    _quantiles(_REDIRECT, ""),
                    unit="s",
                    alarm=0.25,
                ),
                Panel(
                    "Clicks",
                    "A second: `spool` while Kafka was away, `drained` from there later, `lost` in no figure.",
                    [Query(_rate("herald_links_clicks_total", "kept"), "{{kept}}")],
                    unit="ops",
                ),
                Panel(
                    "Clicks on disk",
                    "That Kafka did not take yet, of each process.",
                    [Query("herald_links_spool_size_bytes", _PROCESS)],
                    unit="bytes",
                ),
                Panel(
                    "Room on disk",
                    "Share of HERALD_SPOOL_BYTES that is used. At 100 % clicks are lost.",
                    [Query("herald_links_spool_size_bytes / herald_links_spool_limit_bytes", _PROCESS)],
                    unit="percentunit",
                    alarm=0.8,
                ),
                Panel(
                    "CPU of the links",
                    "Cores that each links process uses; one is all that it can use.",
                    [
                        Query(
                            f"{_CPU} and on (instance) herald_links_spool_size_bytes",
                            _PROCESS,
                        )
                    ],
                    unit="percentunit",
                    alarm=0.9,
                ),
            ],
        ),
        Row(
            "Mail",
            [
                Panel(
                    "Attempts",
                    "Mails a minute by what came of the attempt; docs/runbooks/mail.md says what each outcome means.",
                    [Query(_rate("herald_mail_mails_total", "outcome") + " * 60", "{{outcome}}")],
                    stacked=True,
                ),
                Panel(
                    "Mails sent",
                    "A minute, by kind.",
                    [
                        Query(
                            _rate("herald_mail_mails_total", "kind", 'outcome="sent"') + " * 60",
                            "{{kind}}",
                        )
                    ],
                ),
                Panel(
                    "Age of the oldest mail that is due",
                    "10,000 mails at 20 a second take eight minutes.",
                    [Query("max(herald_mail_oldest_age_seconds)", "oldest")],
                    unit="s",
                    alarm=600,
                ),
                Panel(
                    "Mailbox of bounces away",
                    "For how long it could not be read; 0 where none is set.",
                    [Query("max(herald_mail_mailbox_away_seconds) or vector(0)", "away")],
                    unit="s",
                    alarm=3600,
                ),
            ],
        ),
    ],
)

DASHBOARDS: Final = {"overview": OVERVIEW, "service": SERVICE, "consumers": CONSUMERS, "links": LINKS}
"""By the name of the file in `deploy/dashboards`."""
