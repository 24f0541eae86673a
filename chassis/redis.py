"""Redis, a cache: what is lost there is lost for a moment only."""

from __future__ import annotations

from opentelemetry.instrumentation.redis import RedisInstrumentor
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chassis.settings import Settings
from chassis.telemetry.otel import Telemetry


def connect(settings: Settings, telemetry: Telemetry) -> Redis:
    """A client that gives up after half a second: a slow cache must not be slower than none."""
    client: Redis = Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,  # who only listens would not notice that the other end is gone
    )
    RedisInstrumentor.instrument_client(client, tracer_provider=telemetry.tracer_provider)
    return client
