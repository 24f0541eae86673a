"""How a service's records come from Kafka, by FastStream: its broker, one subscriber of batches, and at its extension
points a parser that reads nothing, our decoder, and a middleware that retries.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy, BaseMiddleware
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis.consumer.batch_decoder import Batch
from chassis.consumer.offset_store import Records
from chassis.kafka.tolerant_parser import tolerate
from chassis.settings import Settings
from chassis.tasks import run_bounded, sleep_or_event

logger = logging.getLogger(__name__)

RECONNECT_MS = 500
METADATA_SECONDS = 30.0  # until a new partition is noticed
IDLE_POLL_MS = 20
# A single record is fetched at once. Under load, wait up to twice the last batch's duration (within these bounds): the
# cost of a batch hardly depends on its size.
IDLE_WAIT_MS, IDLE_BYTES = 250, 1
GATHERED_MS, GATHERED_BYTES = (20, 200), 65_536
START_SECONDS = 30.0


Decode = Callable[[Records], Awaitable[Batch]]
OnBatch = Callable[[Batch], Awaitable[None]]
Retry = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


class Subscription:
    """One member of a service's group. `topics` with the installation's prefix."""

    def __init__(self, service: str, settings: Settings, topics: tuple[str, ...], max_batch: int) -> None:
        self._service = service
        self._settings = settings
        self._topics = topics
        self._max_batch = max_batch
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._taken = False
        self._held: dict[TopicPartition, None] = {}

    @property
    def client(self) -> Any:
        """The aiokafka consumer; None before the first start."""
        return self._subscriber.consumer if self._subscriber is not None else None

    @property
    def ended(self) -> bool:
        """Whether a task ended by itself that nothing starts again: FastStream's loop, or one of aiokafka's."""
        if self._broker is None or self._subscriber is None:
            return False
        own = [self.client._fetcher._fetch_task, self.client._coordinator._coordination_task]  # noqa: SLF001
        return all(task.done() for task in self._subscriber.tasks) or any(task.done() for task in own)

    @property
    def assigned(self) -> bool:
        """Whether the group has given this member its share of the partitions, which may be none."""
        subscription = self.client and self.client._subscription.subscription  # noqa: SLF001
        return bool(subscription and subscription.assignment is not None)

    async def start(self, decode: Decode, on_batch: OnBatch, retry: Retry, stop: asyncio.Event) -> None:
        """Have `on_batch` called with decoded batch after batch, one at a time; tries until Kafka answers or `stop` is
        set. `retry` is given the whole of it, and calls it until it succeeds."""
        while not stop.is_set():
            try:
                await self._start(decode, on_batch, retry)
                return
            except (KafkaError, OSError, TimeoutError) as error:
                logger.warning("Kafka cannot be reached: %s", type(error).__name__)
                await self.close()
                await sleep_or_event(1, stop)

    async def _start(self, decode: Decode, on_batch: OnBatch, retry: Retry) -> None:
        tolerate()

        async def decoder(message: KafkaMessage) -> Batch:
            self._taken = True
            return await decode(message.raw_message)

        options = self._settings.kafka_options()
        broker = KafkaBroker(
            options.pop("bootstrap_servers"),
            client_id=f"herald-{self._service}",
            graceful_timeout=self._settings.grace / 3,
            apply_types=False,
            logger=None,
            allow_auto_create_topics=False,
            retry_backoff_ms=RECONNECT_MS,
            metadata_max_age_ms=int(METADATA_SECONDS * 1000),
            middlewares=[_retrying(retry)],
            **_faststream_security(options),
        )
        subscriber = broker.subscriber(
            *self._topics,
            batch=True,
            group_id=self._settings.group(self._service),
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=self._max_batch,
            batch_timeout_ms=IDLE_POLL_MS,
            fetch_max_wait_ms=IDLE_WAIT_MS,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=int(self._settings.kafka_max_poll * 1000),
            parser=_parse,
            decoder=decoder,
            no_reply=True,
        )

        subscriber(on_batch)

        self._broker, self._subscriber = broker, subscriber
        async with asyncio.timeout(START_SECONDS):
            await broker.start()

    @property
    def paused(self) -> set[TopicPartition]:
        """The partitions that `hold` has paused, of those that are still this member's."""
        client = self.client
        return set(client.paused()) if client is not None else set()

    def hold(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Pause these partitions, and read them again from these offsets once they are resumed."""
        mine = self.client.assignment()
        for part, offset in offsets.items():
            if part in mine:
                self.client.seek(part, offset)
                self.client.pause(part)
                self._held.pop(part, None)
                self._held[part] = None

    def resume(self, at_most: int) -> None:
        """Go on with so many of the partitions that are paused, those first that have been for longest."""
        paused = self.paused
        self._held = {part: None for part in self._held if part in paused}
        for part in list(self._held)[:at_most]:
            del self._held[part]
            self.client.resume(part)

    def fetch_less_when_idle(self) -> None:
        """To be called now and then: a member that got nothing since asks Kafka less often."""
        if not self._taken:
            self._wait(IDLE_WAIT_MS, IDLE_BYTES)
        self._taken = False

    def applied(self, seconds: float) -> None:
        """To be called after each batch, with how long it took."""
        least, most = GATHERED_MS
        self._wait(min(most, max(least, int(2000 * seconds))), GATHERED_BYTES)

    def _wait(self, milliseconds: int, size: int) -> None:
        """Have Kafka answer once it has so many bytes, or after so long."""
        fetcher = getattr(self.client, "_fetcher", None)
        if fetcher is not None:  # a batch may end after its subscription, or while the next one starts
            fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = milliseconds, size  # noqa: SLF001

    async def close(self) -> None:
        """Leave the group, or let go of it where Kafka does not answer the farewell."""
        if self._broker is not None:
            broker, self._broker = self._broker, None
            try:
                await run_bounded(self._settings.grace / 2, broker.stop())
            except (TimeoutError, KafkaError) as error:
                logger.warning("Kafka did not answer the farewell: %s", type(error).__name__)


async def _parse(message: Records) -> KafkaMessage:
    """FastStream's own parser fails on a null or non-UTF-8 header and loses the batch; this one reads none."""
    return KafkaMessage(body=b"", raw_message=tuple(message), consumer=None)  # type: ignore[arg-type]


def _retrying(retry: Retry) -> type[BaseMiddleware]:
    """FastStream logs what escapes a handler and goes on with the next batch; here the batch is tried again."""

    class Retrying(BaseMiddleware):
        async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: Any) -> Any:
            return await retry(lambda: call_next(msg))

    return Retrying


def _faststream_security(options: dict[str, Any]) -> dict[str, Any]:
    if "security_protocol" not in options:
        return {}
    from faststream.security import BaseSecurity, SASLOAuthBearer, SASLPlaintext, SASLScram256, SASLScram512

    context = options.get("ssl_context")
    if "sasl_mechanism" not in options:
        return {"security": BaseSecurity(ssl_context=context, use_ssl=context is not None)}
    if "sasl_oauth_token_provider" in options:
        bearer = SASLOAuthBearer(ssl_context=context, use_ssl=context is not None)
        return {"security": bearer, "sasl_oauth_token_provider": options["sasl_oauth_token_provider"]}
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return {
        "security": kinds[options["sasl_mechanism"]](
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=context,
            use_ssl=context is not None,
        )
    }
