"""What commands, queries, consumers and jobs work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opentelemetry.metrics import Counter

from chassis.clock import Clock
from chassis.external_rows import ExternalRows
from chassis.principals import PrincipalStore
from services.content.feeds.client import Feeds
from services.content.settings import ContentSettings
from services.content.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`. `feed_looks` counts readings of sources, by result."""

    settings: ContentSettings
    clock: Clock
    store: Store
    principals: PrincipalStore
    external_rows: ExternalRows
    feeds: Feeds
    feed_looks: Counter

    @property
    def feed_interval(self) -> timedelta:
        """Time between two readings of a source that answers."""
        return timedelta(seconds=self.settings.content_feed_interval)
