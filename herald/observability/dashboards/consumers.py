"""From the commit of a fact to its effect: outbox, Kafka, consumers, dead letters."""

from __future__ import annotations

from typing import Final

from herald.observability.dashboards.queries import (
    APPLIED,
    CHOOSE_SERVICE,
    CHOSEN,
    EFFECT,
    PUBLISHED,
    quantile_by,
    quantiles,
    rate,
    slowest,
)
from herald.observability.grafana import Choice, Dashboard, Panel, Query, Row

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
                    quantiles(EFFECT, CHOSEN),
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Delay by service",
                    "99 of 100 events have their effect within so long, by the service that consumes.",
                    [quantile_by(EFFECT, CHOSEN, "service", "{{service}}")],
                    unit="s",
                    alarm=5,
                ),
                Panel(
                    "Slowest types",
                    "99 of 100 events of the type have their effect within so long, in this period.",
                    [
                        Query(
                            slowest(EFFECT, CHOSEN, "service, event_type"),
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
                    [Query(f"sum by (service, topic) (herald_consumer_lag{{{CHOSEN}}})", "{{service}} {{topic}}")],
                ),
                Panel(
                    "Events applied",
                    "Events a second that had their effect, by service.",
                    [Query(rate(APPLIED, "service", CHOSEN), "{{service}}")],
                    unit="ops",
                ),
                Panel(
                    "Deliveries without an effect",
                    "Records a second that were passed over: not asked for, or applied before (repeat).",
                    [
                        Query(
                            rate("herald_consumer_skipped_total", "service, reason", CHOSEN),
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
                            f"sum by (service, rule) (increase(herald_deadletters_total{{{CHOSEN}}}[15m]))",
                            "{{service}} {{rule}}",
                        )
                    ],
                    decimals=0,
                ),
                Panel(
                    "Partitions that are paused",
                    "By the cap on dead letters.",
                    [Query(f"sum by (service, topic) (herald_consumer_paused{{{CHOSEN}}})", "{{service}} {{topic}}")],
                    alarm=1,
                    decimals=0,
                ),
                Panel(
                    "Records that were lost",
                    "Deleted by retention before they were consumed, in the last hour.",
                    [
                        Query(
                            f"sum by (service, topic) (increase(herald_consumer_lost_total{{{CHOSEN}}}[1h]))",
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
                    [Query(f"max by (service) (herald_outbox_oldest_age_seconds{{{CHOSEN}}})", "{{service}}")],
                    unit="s",
                    alarm=60,
                ),
                Panel(
                    "Events that leave",
                    "Events a second that Kafka confirmed, by service.",
                    [Query(rate(PUBLISHED, "service", CHOSEN), "{{service}}")],
                    unit="ops",
                ),
                Panel(
                    "Aggregates whose events wait",
                    "waiting: tried again by itself; set aside: an operator has to act.",
                    [
                        Query(f"max by (service) (herald_outbox_waiting_lanes{{{CHOSEN}}})", "{{service}} waiting"),
                        Query(f"max by (service) (herald_outbox_blocked_lanes{{{CHOSEN}}})", "{{service}} set aside"),
                    ],
                    decimals=0,
                ),
            ],
        ),
    ],
    [Choice("service", "Service", CHOOSE_SERVICE, several=True)],
)
