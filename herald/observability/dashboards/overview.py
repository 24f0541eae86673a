"""Whether the job is being done: shares, clicks, recognition, how late figures are, and which budgets burn."""

from __future__ import annotations

from typing import Final

from herald.observability.dashboards.queries import (
    APPLIED,
    COUNT,
    EFFECT,
    FAILING,
    IN_PROGRAM,
    NO_STREAM,
    PUBLISHED,
    REQUESTS,
    burn,
    counted,
    quantile_by,
    quantiles,
    rate,
)
from herald.observability.grafana import Dashboard, Panel, Query, Row
from herald.observability.objectives import BURNS

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
                    [Query(counted(APPLIED, 'service="metrics",event_type=~"herald.PostShared.v.*"'), "shares")],
                    kind="stat",
                    width=4,
                    height=4,
                    decimals=0,
                ),
                Panel(
                    "Clicks",
                    "Visitors of short links who were sent on, and whose click was kept (robots included).",
                    [Query(counted("herald_links_clicks_total", 'kept=~"kafka|spool"'), "clicks")],
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
                            counted(APPLIED, 'service="metrics",event_type=~"herald.EngagementRecorded.v.*"'),
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
                            counted(PUBLISHED, 'service="gamification",event_type=~"herald.PointsAwarded.v.*"'),
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
                    [quantile_by(EFFECT, 'service="metrics"', "service", "99% at most")],
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
                            rate(PUBLISHED, "event_type", 'service="sharing",event_type=~"herald.Post.*"') + " * 3600",
                            "{{event_type}}",
                        )
                    ],
                    unit="short",
                ),
                Panel(
                    "Clicks a second",
                    "A second: `spool` while Kafka was away, `drained` from there later, `lost` in no figure.",
                    [Query(rate("herald_links_clicks_total", "kept"), "{{kept}}")],
                    unit="ops",
                ),
                Panel(
                    "Recognition",
                    "What ambassadors are thanked for, events an hour.",
                    [
                        Query(
                            rate(PUBLISHED, "event_type", 'service="gamification"') + " * 3600",
                            "{{event_type}}",
                        )
                    ],
                ),
                Panel(
                    "Delay of the figures",
                    "From the commit of a fact to its effect on the figures. A point leads to the trace.",
                    quantiles(EFFECT, 'service="metrics"'),
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Delay by service",
                    "From the commit of a fact to its effect in each service, for 99 of 100.",
                    [quantile_by(EFFECT, "", "service", "{{service}}")],
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "People",
                    "What ambassadors and managers do in the programme, events an hour.",
                    [
                        Query(
                            f"topk(8, {rate(PUBLISHED, 'event_type', IN_PROGRAM)} * 3600)",
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
                    [Query(f"max by (slo) ({burn('1h')})", "{{slo}}")],
                    alarm=BURNS[0].factor,
                ),
                Panel(
                    "Budgets over three days",
                    "The same over three days, by service: above 1 there will be nothing left at the end of 30 days.",
                    [Query(f"sort_desc(max by (slo, service) ({burn('3d')}))", "{{slo}} {{service}}")],
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
                    [Query(rate(COUNT, "service"), "{{service}}")],
                    unit="reqps",
                ),
                Panel(
                    "Requests that fail",
                    "The share that was answered 5xx, by service.",
                    [
                        Query(
                            FAILING,
                            "{{service}}",
                        )
                    ],
                    unit="percentunit",
                ),
                Panel(
                    "Requests that take long",
                    "99 of 100 requests take at most so long, by service; without open streams.",
                    [quantile_by(REQUESTS, NO_STREAM, "service", "{{service}}")],
                    unit="s",
                    alarm=1,
                ),
            ],
        ),
    ],
)
