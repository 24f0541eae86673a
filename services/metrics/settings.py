"""Settings of metrics."""

from __future__ import annotations

from chassis.settings import Settings


class MetricsSettings(Settings):
    """Nothing beyond what every service needs."""
