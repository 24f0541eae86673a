"""Redis, a cache: what is lost there is lost for a moment only."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.redis import RedisInstrumentor
from redis.asyncio import Redis
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry

from chassis.redis_url import parse_redis_url
from chassis.settings import Settings
from chassis.telemetry.otel import Telemetry


def connect(settings: Settings, telemetry: Telemetry) -> Redis:
    """A client that gives up after half a second: a slow cache must not be slower than none."""
    client = client_of(settings)
    RedisInstrumentor.instrument_client(client, tracer_provider=telemetry.tracer_provider)
    return client


def client_of(settings: Settings, *, seconds: float = 0.5) -> Redis:
    """A client of the server, or of the master that the Sentinels name at each connection; waits so long for either."""
    patience: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    options: dict[str, Any] = {
        **patience,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 1),
        "health_check_interval": 30,  # who only listens would not notice that the other end is gone
    }
    authorities: dict[str, Any] = {"ssl_ca_certs": str(settings.redis_ca_file)} if settings.redis_ca_file else {}
    sentinels = parse_redis_url(settings.redis_url)
    if sentinels is None:
        tls = authorities if settings.redis_url.startswith("rediss") else {}
        of_server: Redis = Redis.from_url(settings.redis_url, **options, **tls)
        return of_server
    tls = {"ssl": True, **authorities} if sentinels.tls else {}
    asked = Sentinel(  # type: ignore[no-untyped-call]
        sentinels.hosts, sentinel_kwargs={**patience, **tls, **sentinels.of_sentinels}
    )
    of_master: Redis = asked.master_for(sentinels.master, **options, **tls, **sentinels.of_master)
    return of_master
