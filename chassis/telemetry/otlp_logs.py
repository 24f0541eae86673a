"""The log by OTLP: what goes to standard error as JSON goes to the collector as well, with its trace and span.

A collector that is away slows nothing: records wait in a queue, and beyond its size the newest are dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry import context
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.resources import Resource

from chassis.telemetry.exposition import ALL_SERVICES
from chassis.telemetry.logs import RateLimitRepeats, message_of
from chassis.telemetry.scrubbing import format_error

if TYPE_CHECKING:
    from chassis.service import Service

CLOSE_SECONDS = 2.0
ITS_OWN = ("opentelemetry", "urllib3", "requests")
"""What the exporter itself logs: sent along, each failure to send would be one more record to send."""
_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


def ship_logs(services: Sequence[Service]) -> OtlpHandler | None:
    """Send the log of the process of these services to the OTLP endpoint from now on, where their settings ask for
    it."""
    settings = services[0].runtime.settings if services else None
    if settings is None or not settings.otlp_endpoint or not settings.otlp_logs:
        return None
    exporter = OTLPLogExporter(settings.otlp_endpoint.rstrip("/") + "/v1/logs", timeout=5)
    handler = OtlpHandler(services[0].name if len(services) == 1 else ALL_SERVICES, exporter)
    handler.addFilter(RateLimitRepeats())
    logging.getLogger().addHandler(handler)
    return handler


class OtlpHandler(logging.Handler):
    """Hands records to an exporter, in batches, with the same words as the JSON log has."""

    def __init__(self, service: str, exporter: LogRecordExporter) -> None:
        super().__init__()
        resource = Resource.create({"service.name": service, "service.namespace": "herald"})
        self._provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=1000))
        self._logger = self._provider.get_logger("herald")

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(ITS_OWN):
            return
        attributes = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            attributes["error"] = format_error(record.exc_info[1])
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            observed_timestamp=time.time_ns(),
            context=context.get_current(),
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.INFO),
            severity_text=record.levelname,
            body=message_of(record),
            attributes=attributes,
        )

    def close(self) -> None:
        """Hand over what is still queued, for at most 2 s."""
        logging.getLogger().removeHandler(self)
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)
        super().close()
