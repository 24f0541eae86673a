"""How one record goes from Kafka to its effect in MongoDB, exactly once.

1. `loop.py` `ConsumerLoop.run` starts the consumer of a service; what the service takes stands in its own
   `consumers.py`, as a list of routes (`declaration.py`: `Consumer`, `on`).
2. `subscription.py`: FastStream polls Kafka (`BatchSubscriber`, manual acknowledgement) and hands over batches as
   they are. Headers whose names are no text come through (`chassis/kafka/tolerant_parser.py`).
3. `batch_decoder.py`, `decoder.py`: each record of the batch is decoded, once: to an event (`Received`), to poison
   (`Undecodable`), or to nothing of this service's concern (`PassedOver`). Which versions are passed over, and which
   are poison, stands in `versions.py`. Meanwhile the batch before is still being applied.
4. `ConsumerLoop._on_batch` waits for the batch before and begins this one, without what the client was sent back from.
5. `_apply` has every record of the batch applied or dead-lettered, whatever it takes:
   a. `offset_store.py` `reconcile`: are these the records that follow on those applied before?
   b. `_dead_letter`: poison goes to `herald.deadletters.<service>` (`chassis/dead_letters/writer.py`), confirmed by
      Kafka before anything moves on. Where the cap leaves no room (`cap.py`), the partition is paused and read again
      from there when there is room (`_resume`); all others go on.
   c. `_apply_once`: in one MongoDB transaction the offsets move forward (`OffsetStore.advance`, which also fences a
      member that lost its partition and does not know), the inbox leaves only events that were never applied
      (`_deduplicate`), and the routes are called with these. Spans by `tracing.py`.
   d. An event that fails is found by halving the batch (`_bisect`), or named by the handler (`InvalidEvents`), and is
      then poison. Its neighbours are applied.
6. The offsets are committed to Kafka (`_commit`), for its tools only: the stored offsets decide.

Which failure is retried where: `loop.py`. What a record may be and what may be done to a topic:
`docs/guides/consuming.md`.
"""

from chassis.consumer.declaration import INBOX, Consumer, InvalidEvent, InvalidEvents, Route, on
from chassis.consumer.decoder import Received

__all__ = ["INBOX", "Consumer", "InvalidEvent", "InvalidEvents", "Received", "Route", "on"]
