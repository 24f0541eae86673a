"""What leads people in from outside: short links and mails."""

from __future__ import annotations

from typing import Final

from herald.observability.dashboards.queries import CPU, PROCESS, REDIRECT, quantiles, rate
from herald.observability.grafana import Dashboard, Panel, Query, Row

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
                    [Query(rate("herald_links_answers_total", "status"), "{{status}}")],
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "How long visitors wait",
                    "Until their click is kept. A point leads to the trace.",
                    quantiles(REDIRECT, ""),
                    unit="s",
                    alarm=0.25,
                ),
                Panel(
                    "Clicks",
                    "A second: `spool` while Kafka was away, `drained` from there later, `lost` in no figure.",
                    [Query(rate("herald_links_clicks_total", "kept"), "{{kept}}")],
                    unit="ops",
                ),
                Panel(
                    "Clicks on disk",
                    "That Kafka did not take yet, of each process.",
                    [Query("herald_links_spool_size_bytes", PROCESS)],
                    unit="bytes",
                ),
                Panel(
                    "Room on disk",
                    "Share of HERALD_SPOOL_BYTES that is used. At 100 % clicks are lost.",
                    [Query("herald_links_spool_size_bytes / herald_links_spool_limit_bytes", PROCESS)],
                    unit="percentunit",
                    alarm=0.8,
                ),
                Panel(
                    "CPU of the links",
                    "Cores that each links process uses; one is all that it can use.",
                    [
                        Query(
                            f"{CPU} and on (instance) herald_links_spool_size_bytes",
                            PROCESS,
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
                    [Query(rate("herald_mail_mails_total", "outcome") + " * 60", "{{outcome}}")],
                    stacked=True,
                ),
                Panel(
                    "Mails sent",
                    "A minute, by kind.",
                    [
                        Query(
                            rate("herald_mail_mails_total", "kind", 'outcome="sent"') + " * 60",
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
