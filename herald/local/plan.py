"""Which processes a stack has, as data: what to run, with what environment, and where each says that it is ready."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from herald.local.home import Home
from herald.local.ports import LOOPBACK

# The first administrator of a local installation, and the trusted proxy: the gateway.
LOCAL = {
    "HERALD_PROGRAM_ADMINS": "ines@herald.example",
    "HERALD_TRUSTED_PROXIES": f"{LOOPBACK}/32",
    "HERALD_RATE_SIGN_INS": "600/minute",  # everybody who tries it out comes from this machine
}
# For a server on this machine that delivers nothing: no reason to go slowly, and nobody to hide anything from.
MAIL = {
    "HERALD_SMTP_HOST": LOOPBACK,
    "HERALD_SMTP_SECURITY": "none",
    "HERALD_MAIL_RATE": "200/second",
    "HERALD_MAIL_REST": "false",
}
MAIL_FROM = "herald@herald.example"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of Herald: `argv` is run with `env` added to this process's own.

    `ready_url` answers 200 once it serves; `grace` seconds are left to it to stop by itself.
    """

    name: str
    argv: tuple[str, ...]
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    ready_url: str = ""
    grace: float = 20.0

    @property
    def address(self) -> str:
        return self.ready_url or f"http://{LOOPBACK}:{self.port}/health/ready"

    @property
    def live_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/health/live"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that every process gets."""

    kafka_bootstrap: str
    mongo_url: str
    redis_url: str
    public_url: str
    issuer: str = ""
    """A company's own; the development issuer behind the one address when empty."""
    mailbox: int | None = None
    """The port of the local mail server; without one, the mail server is that of this process's environment, if any."""

    @property
    def environment(self) -> dict[str, str]:
        of_apis = {f"HERALD_{name.upper()}_URL": f"{self.public_url}/api/{name}" for name in SERVICES}
        return {
            "HERALD_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "HERALD_MONGO_URL": self.mongo_url,
            "HERALD_REDIS_URL": self.redis_url,
            "HERALD_PUBLIC_URL": self.public_url,
            "HERALD_ISSUER": self.issuer or f"{self.public_url}/issuer",
            **of_apis,
            **self._mail,
        }

    @property
    def _mail(self) -> dict[str, str]:
        if self.mailbox is None:
            return {}
        return {**MAIL, "HERALD_SMTP_PORT": str(self.mailbox), "HERALD_MAIL_FROM": MAIL_FROM}


def names(split: bool) -> dict[str, tuple[str, str]]:
    """Service and role of each process, by its name; the first one serves the one address.

    Embedded: all APIs with hub, gateway and issuer; all workers; the links. Split: one process a role.
    """
    if not split:
        return {"apis": ("all", "api"), "workers": ("all", "worker"), "links": ("sharing", "links")}
    roles = [(service, role) for service in SERVICES for role in ("api", "worker")]
    others = [("gateway", "api"), *roles, ("sharing", "links"), ("hub", "api")]
    return {f"{service}-{role}": (service, role) for service, role in others}


def processes(
    home: Home, addresses: Addresses, secrets: Mapping[str, str], ports: Mapping[str, int], split: bool
) -> list[ProcessSpec]:
    """The processes of a stack; `ports` has one for each of `names(split)`."""
    common = {**addresses.environment, **LOCAL, **secrets, "HERALD_SPOOL_DIR": str(home.spool)}
    upstreams = _upstreams(ports, split)
    return [
        ProcessSpec(
            name=name,
            argv=(sys.executable, "-m", "herald", "run", service, role),
            port=ports[name],
            env={**common, **upstreams, **_spans(home, name), "HERALD_PORT": str(ports[name])},
        )
        for name, (service, role) in names(split).items()
    ]


def _upstreams(ports: Mapping[str, int], split: bool) -> dict[str, str]:
    """The addresses of services that do not run in the gateway's process."""
    if not split:
        return {"HERALD_LINKS_UPSTREAM": f"http://{LOOPBACK}:{ports['links']}"}
    found = {
        f"HERALD_{name.upper()}_UPSTREAM": f"http://{LOOPBACK}:{ports[f'{name}-api']}" for name in (*SERVICES, "hub")
    }
    return {**found, "HERALD_LINKS_UPSTREAM": f"http://{LOOPBACK}:{ports['sharing-links']}"}


def _spans(home: Home, name: str) -> dict[str, str]:
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return {}
    return {"HERALD_SPANS_FILE": str(home.spans / f"{name}.jsonl")}
