"""Logs: one JSON object a line, identifiers only."""

from __future__ import annotations

import json
import logging
import logging.config
import time

from opentelemetry import trace

from chassis.telemetry.scrubbing import format_error

REPEATED_SECONDS = 10.0


def configure_logging() -> None:
    """One JSON object a line on standard error; identifiers only, never persons."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": "chassis.telemetry.logs.JsonFormatter"}},
            "filters": {"repeats": {"()": "chassis.telemetry.logs.RateLimitRepeats"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["repeats"]}},
            "root": {"handlers": ["out"], "level": "INFO"},
            "loggers": {
                "uvicorn.access": {"level": "WARNING"},
                "aiokafka": {"level": "ERROR"},
                "faststream": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "opentelemetry": {"level": "ERROR"},
            },
        }
    )


class JsonFormatter(logging.Formatter):
    """A log record as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            **_trace(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = format_error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _trace() -> dict[str, str]:
    """The ids of the span that the line was logged in, by OpenTelemetry's names for JSON logs."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"} if span.is_valid else {}


def message_of(record: logging.LogRecord) -> str:
    """What the record says; of asyncio the first line: the next ones show tasks and the text of their errors."""
    message = record.getMessage()
    return message.partition("\n")[0] if record.name == "asyncio" else message


class RateLimitRepeats(logging.Filter):
    """Lets each kind of message of aiokafka pass once in ten seconds: while a broker is away it says the same
    hundreds of times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        kind = (record.name, str(record.msg))
        if record.created - self._said.get(kind, 0.0) < REPEATED_SECONDS:
            return False
        self._said[kind] = record.created
        return True
