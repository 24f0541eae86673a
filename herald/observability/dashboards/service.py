"""One service: rate, errors and duration of its requests, and its processes."""

from __future__ import annotations

from typing import Final

from herald.observability.dashboards.queries import (
    BY_ROUTE,
    CHOOSE_SERVICE,
    CHOSEN,
    COUNT,
    FAILED,
    NO_STREAM,
    OF_PROCESS,
    PROCESS,
    PUBLISHED,
    REQUESTS,
    quantiles,
    rate,
    slowest,
)
from herald.observability.grafana import Choice, Dashboard, Panel, Query, Row

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
                            rate(COUNT, "http_response_status_code", CHOSEN),
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
                            rate(COUNT, BY_ROUTE, f"{CHOSEN},{FAILED}"),
                            "{{http_request_method}} {{http_route}}",
                        ),
                        Query(rate("herald_http_refused_total", "", CHOSEN), "refused (503)"),
                        Query(
                            rate("herald_http_rate_limited_total", "", CHOSEN),
                            "limited (429)",
                        ),
                    ],
                    unit="reqps",
                ),
                Panel(
                    "Duration",
                    "How long requests take, without open streams. A point leads to the trace.",
                    quantiles(REQUESTS, f"{CHOSEN},{NO_STREAM}"),
                    unit="s",
                    alarm=1,
                ),
                Panel(
                    "Slowest routes",
                    "99 of 100 requests of the route take at most so long, in this period.",
                    [
                        Query(
                            slowest(REQUESTS, f"{CHOSEN},{NO_STREAM}", BY_ROUTE),
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
                            f"topk(10, {rate(COUNT, BY_ROUTE, CHOSEN)})",
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
                            f"rate(process_cpu_seconds_total{{{OF_PROCESS}}}[$__rate_interval])",
                            PROCESS,
                        )
                    ],
                    unit="percentunit",
                    alarm=0.9,
                ),
                Panel(
                    "Memory",
                    "Resident memory of each process.",
                    [Query(f"process_resident_memory_bytes{{{OF_PROCESS}}}", PROCESS)],
                    unit="bytes",
                ),
                Panel(
                    "Open files",
                    "Share of the file descriptors that each process may have; a connection is one.",
                    [
                        Query(
                            f"process_open_fds{{{OF_PROCESS}}} / process_max_fds{{{OF_PROCESS}}}",
                            PROCESS,
                        )
                    ],
                    unit="percentunit",
                    alarm=0.8,
                ),
                Panel(
                    "Lateness of the event loop",
                    "The worst since the last look. From a tenth of a second on everything in the process is late.",
                    [Query(f"herald_loop_lag_seconds{{{CHOSEN}}}", PROCESS)],
                    unit="s",
                    alarm=0.1,
                ),
                Panel(
                    "Requests under way",
                    "Places of each process that are taken; beyond HERALD_MAX_CONCURRENCY requests are refused.",
                    [Query(f"herald_http_under_way{{{CHOSEN}}}", PROCESS)],
                ),
                Panel(
                    "Background tasks started again",
                    "Tasks that ended too early, by task, an hour.",
                    [
                        Query(
                            rate("herald_background_restarts_total", "task", f'{CHOSEN},task!=""') + " * 3600",
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
                            rate(PUBLISHED, "event_type", CHOSEN),
                            "{{event_type}}",
                        )
                    ],
                    unit="ops",
                    width=12,
                ),
                Panel(
                    "Age of the oldest event that waits",
                    "In the outbox, as the process with the relay's lease sees it.",
                    [Query(f"max by (service) (herald_outbox_oldest_age_seconds{{{CHOSEN}}})", "{{service}}")],
                    unit="s",
                    width=12,
                    alarm=60,
                ),
            ],
        ),
    ],
    [Choice("service", "Service", CHOOSE_SERVICE)],
)
