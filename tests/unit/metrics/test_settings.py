"""Settings of metrics: what they may be, and what they are unless set."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from herald.contracts.services import PLACEHOLDERS
from services.metrics.settings import MetricsSettings

NEEDED = {name.removeprefix("HERALD_").lower(): value for name, value in PLACEHOLDERS.items()}


def settings(**values: float) -> MetricsSettings:
    known = {name: value for name, value in NEEDED.items() if name in MetricsSettings.model_fields}
    return MetricsSettings.model_validate({**known, **values})


def test_a_quiet_stream_sends_something_before_proxies_close_it() -> None:
    """Proxies, browsers and the hub must hear something at least every 15 s."""
    assert settings().live_heartbeat == 10
    assert settings(live_heartbeat=15).live_heartbeat == 15
    for seconds in (0, 15.1):
        with pytest.raises(ValidationError, match="live_heartbeat"):
            settings(live_heartbeat=seconds)
