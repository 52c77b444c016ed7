# SPDX-License-Identifier: Apache-2.0
"""sdk.py URL N [NAME=VALUE...]: N spans by the OpenTelemetry SDK's own OTLP/HTTP exporter, which
says whether they were taken. The settings are the SDK's environment."""
import os
import sys

import requests_unixsocket
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def main():
    url, n = sys.argv[1], int(sys.argv[2])
    session = requests_unixsocket.Session() if url.startswith("http+unix:") else None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, session=session),
                                                   max_queue_size=max(n + 1, 2048)))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("orders", "1.2.3",
                              schema_url="https://opentelemetry.io/schemas/1.37.0")
    for i in range(n):
        with tracer.start_as_current_span(f"step {i}") as span:
            span.set_attribute("numbers", [1, 2, 3])
            span.add_event("half way", {"i": i})
    provider.shutdown()
    print(os.getpid(), n)


main()
