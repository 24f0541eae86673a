"""What commands, queries and consumers work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from chassis.clock import Clock
from chassis.external_rows import ExternalRows
from chassis.principals import PrincipalStore
from services.content.feeds.client import Feeds
from services.content.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`. `interval` is the time between two looks at a source."""

    store: Store
    feeds: Feeds
    clock: Clock
    interval: timedelta
    principals: PrincipalStore
    external_rows: ExternalRows
