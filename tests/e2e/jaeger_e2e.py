# SPDX-License-Identifier: Apache-2.0
"""A real Jaeger for the tests: an OpenTelemetry Collector distribution with storage and a query
API, on ports of its own. scripts/get-jaeger builds it once, outside the checkout."""
import json
import subprocess

import flowtrace_e2e as e2e

CONFIG = """\
extensions:
  jaeger_storage: {{backends: {{mem: {{memory: {{max_traces: 100000}}}}}}}}
  jaeger_query:
    storage: {{traces: mem}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{query_grpc}"}}
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
processors: {{batch: {{timeout: 100ms}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: mem}}}}
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}
"""


class Jaeger(e2e.Program):
    def __init__(self, directory):
        built = subprocess.run([e2e.ROOT / "scripts" / "get-jaeger"], capture_output=True,
                               text=True, check=False)
        if built.returncode:
            raise AssertionError(f"Jaeger could not be built: {built.stderr}")
        self.otlp_port, self.query_port, grpc = (e2e.free_port() for _ in range(3))
        config = directory / "jaeger.yaml"
        config.write_text(CONFIG.format(otlp=self.otlp_port, query=self.query_port,
                                        query_grpc=grpc))
        super().__init__(directory, "jaeger",
                         [built.stdout.splitlines()[-1], "--config", config])
        self.wait_port(self.otlp_port)
        self.wait_port(self.query_port)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.otlp_port}"

    def query(self, path):
        status, text = e2e.http_get(f"http://127.0.0.1:{self.query_port}/api/{path}")
        return json.loads(text).get("data") if status == 200 else None

    def trace(self, trace_id):
        """span id -> Jaeger's span, of one trace; empty while it is not there."""
        traces = self.query(f"traces/{trace_id}") or [{"spans": [], "processes": {}}]
        for span in traces[0]["spans"]:
            span["service"] = traces[0]["processes"][span["processID"]]["serviceName"]
            span["tags"] = {tag["key"]: tag["value"] for tag in span["tags"]}
        return {span["spanID"]: span for span in traces[0]["spans"]}
