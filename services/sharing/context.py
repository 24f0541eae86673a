"""What commands and queries work with."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.metrics import Counter

from chassis.clock import Clock
from chassis.external_rows import ExternalRows
from chassis.principals import PrincipalStore
from services.sharing.redirect.own_visits import OwnVisits
from services.sharing.settings import SharingSettings
from services.sharing.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`. `decisions` counts what the guardrails decided, by verdict and rule."""

    settings: SharingSettings
    clock: Clock
    store: Store
    principals: PrincipalStore
    external_rows: ExternalRows
    decisions: Counter
    own_visits: OwnVisits

    def short_url(self, code: str) -> str:
        """The address of a short link."""
        return f"{self.settings.public_url}/l/{code}"
