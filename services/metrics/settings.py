"""Settings of metrics."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import Settings


class MetricsSettings(Settings):
    """What metrics needs beyond what every service does."""

    small_group: int = Field(
        5, ge=5, le=1_000, description="How many people a figure of a country, team or cohort needs, as in `program`"
    )
    live_heartbeat: float = Field(
        10.0,
        gt=0,
        le=15,
        description="Seconds without an event after which a stream sends a heartbeat: proxies close silent ones",
    )
