"""The dashboards, a page a file: the whole, one service, the consumers, links and mail."""

from __future__ import annotations

from typing import Final

from herald.observability.dashboards.consumers import CONSUMERS
from herald.observability.dashboards.links import LINKS
from herald.observability.dashboards.overview import OVERVIEW
from herald.observability.dashboards.service import SERVICE

DASHBOARDS: Final = {"overview": OVERVIEW, "service": SERVICE, "consumers": CONSUMERS, "links": LINKS}
"""By the name of the file in `deploy/dashboards`."""
