"""Settings of this service: those that all share."""

from __future__ import annotations

from chassis.settings import Settings


class GamificationSettings(Settings):
    """Variables are `HERALD_<FIELD>`."""
