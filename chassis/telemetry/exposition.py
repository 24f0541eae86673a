"""Metrics as Prometheus and OpenMetrics read them, with exemplars.

The exporter of OpenTelemetry writes no exemplars. One leads from a bucket of a histogram to the trace of a request or
event that fell into it; only OpenMetrics carries them, which Prometheus asks for when it stores them.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    MetricsData,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Measured
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

ALL_SERVICES: Final = "all"
"""The label `service` of what is measured of a process that runs several."""
_UNITS: Final = {"s": "seconds", "By": "bytes"}
_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9:]+")


class OtelCollector:
    """What a reader of OpenTelemetry's has measured, as Prometheus names it: `herald.loop.lag` in seconds is
    `herald_loop_lag_seconds`, a counter ends in `_total`."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        data: MetricsData | None = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for measured in scope.metrics:
                    yield _family(measured)


def _family(measured: Measured) -> Metric:
    name, unit = _NO_NAME.sub("_", measured.name), _UNITS.get(measured.unit or "", "")
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    data = measured.data
    if isinstance(data, Sum) and data.is_monotonic:
        family = Metric(name, measured.description or "", "counter", unit)
        for point in data.data_points:
            family.add_sample(f"{name}_total", _labels(point.attributes), point.value)
    elif isinstance(data, Gauge | Sum):
        family = Metric(name, measured.description or "", "gauge", unit)
        for point in data.data_points:
            family.add_sample(name, _labels(point.attributes), point.value)
    elif isinstance(data, Histogram):
        family = Metric(name, measured.description or "", "histogram", unit)
        for bucketed in data.data_points:
            _add_histogram(family, bucketed)
    else:
        raise TypeError(f"{measured.name} is of a kind that Prometheus has no counterpart for")
    return family


def _add_histogram(family: Metric, point: HistogramDataPoint) -> None:
    labels = _labels(point.attributes)
    exemplars = {
        bisect_left(point.explicit_bounds, one.value): exemplar(
            one.trace_id, one.span_id, one.value, one.time_unix_nano
        )
        for one in sorted(point.exemplars, key=lambda one: one.time_unix_nano)
        if one.trace_id and one.span_id
    }
    add_histogram(family, labels, point.explicit_bounds, point.bucket_counts, point.sum, exemplars)


def exemplar(trace_id: int, span_id: int, value: float, unix_nano: int) -> Exemplar:
    """The span that a value was measured in."""
    return Exemplar({"trace_id": f"{trace_id:032x}", "span_id": f"{span_id:016x}"}, value, unix_nano / 1e9)


def add_histogram(
    family: Metric,
    labels: Mapping[str, str],
    bounds: Sequence[float],
    counts: Sequence[int],
    total: float,
    exemplars: Mapping[int, Exemplar],
) -> None:
    """Add the samples of a histogram: `counts` and `exemplars` by bucket, the last one without an upper bound."""
    sum_ = 0
    for index, (bound, count) in enumerate(zip((*bounds, math.inf), counts, strict=True)):
        sum_ += count
        bucket = {**labels, "le": floatToGoString(bound)}  # type: ignore[no-untyped-call]
        family.add_sample(f"{family.name}_bucket", bucket, sum_, exemplar=exemplars.get(index))
    family.add_sample(f"{family.name}_count", dict(labels), sum_)
    family.add_sample(f"{family.name}_sum", dict(labels), total)


def _labels(attributes: Mapping[str, Any] | None) -> dict[str, str]:
    return {
        _NO_NAME.sub("_", name): value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in (attributes or {}).items()
    }


class _Merged:
    """The metrics of several services as one exposition, told apart by the label `service`, and what is known of
    their process (CPU time, memory, open files)."""

    def __init__(self, registries: Mapping[str, CollectorRegistry]) -> None:
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for service, registry in self._registries.items():
            _merge(families, registry.collect(), service)
        of_process = next(iter(self._registries)) if len(self._registries) == 1 else ALL_SERVICES
        _merge(families, ProcessCollector(registry=None).collect(), of_process)
        yield from families.values()


def _merge(families: dict[str, Metric], more: Iterable[Metric], service: str) -> None:
    for family in more:
        merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type, family.unit))
        for sample in family.samples:
            merged.samples.append(sample._replace(labels={**sample.labels, "service": service}))


def encode(registries: Mapping[str, CollectorRegistry], accept: str) -> tuple[bytes, str]:
    """All metrics by service and their media type, of those that `accept` (a header) names: OpenMetrics with
    exemplars, or else Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(registries))
    encoder, media_type = choose_encoder(accept)
    return encoder(registry), media_type
