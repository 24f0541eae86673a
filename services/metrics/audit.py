"""What the audit trail tells of the things of this service."""

from __future__ import annotations

from chassis.audit import Audited
from services.metrics.domain.value import Rates

RATES = Audited("rates", Rates, shown=("version", "valid_from", "currency", "source", "rates"))
