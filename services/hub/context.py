"""What pages are given."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from jinja2 import Environment

from chassis.clock import Clock
from chassis.web.rate_limits import RateLimits
from services.hub.asked import Asked
from services.hub.assets import Assets
from services.hub.history.staging import Staging
from services.hub.oidc import OidcClient
from services.hub.sessions import Sessions
from services.hub.settings import HubSettings


@dataclass(frozen=True)
class Context:
    """Built once, in `app.py`."""

    settings: HubSettings
    clock: Clock
    sessions: Sessions
    history: Staging
    oidc: OidcClient
    http: httpx.AsyncClient
    templates: Environment
    assets: Assets
    rate_limits: RateLimits
    asked: Asked = field(default_factory=Asked)
