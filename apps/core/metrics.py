"""What this process counts while it works; `codetether.metrics` shows it (docs/operations/health.md).

The instruments lie this low so that every layer can reach them. None costs more than a few microseconds, so they may
stand on hot paths; what the database knows is read there at the scrape and not counted here. Units are in the names,
as Prometheus wants it (https://prometheus.io/docs/practices/naming/).
"""

from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # for each series another one: when this process began

REGISTRY = CollectorRegistry()
"""Ours alone: what a library puts into prometheus_client's global registry is not shown."""
ProcessCollector(registry=REGISTRY)

CLAIM_WAIT = Histogram(
    "codetether_claim_wait_seconds",
    "How long claimed tasks had been available: from creation, pause or answer to the claim.",
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200),
)
ERRORS = Counter(
    "codetether_errors",
    "Errors answered to clients (requests, streams and sockets), by the code in the answer.",
    ["code"],
    registry=REGISTRY,
)
OPEN_STREAMS = Gauge(
    "codetether_open_streams", "Event streams and WebSockets open now.", ["transport"], registry=REGISTRY
)
SSE_STREAMS, WEBSOCKETS = OPEN_STREAMS.labels("sse"), OPEN_STREAMS.labels("websocket")
UNSENT_WAKE_UPS = Counter(
    "codetether_wakeups_unsent",
    "Wake-ups that could not be sent to the other processes; readers there poll instead.",
    registry=REGISTRY,
)
_HTTP = Histogram(
    "codetether_http_response_start_seconds",
    "From a request's arrival to the beginning of its answer, by the lane that answered and the status's class.",
    ["lane", "status"],
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


@cache
def http_answers(lane: str, status_class: int) -> Histogram:
    """The histogram for answers of a lane, `status_class` being the status's first digit."""
    return _HTTP.labels(lane, f"{status_class}xx")
