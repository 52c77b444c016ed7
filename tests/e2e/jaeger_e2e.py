# SPDX-License-Identifier: Apache-2.0
"""A real Jaeger for the tests: an OpenTelemetry Collector distribution with storage and a query
API, on ports of its own. scripts/get-jaeger builds it once, outside the checkout."""
import json
import subprocess

import flowtrace_e2e as e2e

# Every way in is a pipeline of its own, which says in each span which it was.
WAYS = {
    "grpc": "otlp/grpc", "http": "otlp/http",
    "grpc_tls": "otlp/grpc_tls", "grpc_mtls": "otlp/grpc_mtls", "http_mtls": "otlp/http_mtls",
    "kafka": "kafka",
}
BY = "received.by"


class Jaeger(e2e.Program):
    """With certificates (tests/make-certificates) over TLS and mutual TLS, too, with the address of
    a broker also from its topic otlp_spans. start() after stop() begins anew: it has no memory."""

    def __init__(self, directory, certificates=None, brokers=None):
        built = subprocess.run([e2e.ROOT / "scripts" / "get-jaeger"], capture_output=True,
                               text=True, check=False)
        if built.returncode:
            raise AssertionError(f"Jaeger could not be built: {built.stderr}")
        self.directory = directory
        self.binary = built.stdout.splitlines()[-1]
        ways = ["grpc", "http"]
        if certificates:
            ways += ["grpc_tls", "grpc_mtls", "http_mtls"]
        self.query_port, self.query_grpc_port, *ports = e2e.free_ports(2 + len(ways))
        self.ports = dict(zip(ways, ports))
        self.config = directory / "jaeger.yaml"
        self.config.write_text(json.dumps(self.settings(certificates, brokers), indent=1))
        self.start()

    def settings(self, certificates, brokers):
        receivers = {WAYS[way]: self.receiver(way, port, certificates)
                     for way, port in self.ports.items()}
        if brokers:
            receivers["kafka"] = {
                "brokers": [brokers], "initial_offset": "earliest",
                "traces": {"topic": "otlp_spans", "encoding": "otlp_proto"}}
        pipelines, processors = {}, {"batch": {"timeout": "100ms"}}
        for way, receiver in WAYS.items():
            if receiver in receivers:
                processors[f"attributes/{way}"] = {
                    "actions": [{"key": BY, "value": way, "action": "insert"}]}
                pipelines[f"traces/{way}"] = {
                    "receivers": [receiver], "processors": [f"attributes/{way}", "batch"],
                    "exporters": ["jaeger_storage_exporter"]}
        local = "127.0.0.1"
        return {
            "extensions": {
                "jaeger_storage": {"backends": {"mem": {"memory": {"max_traces": 100000}}}},
                "jaeger_query": {"storage": {"traces": "mem"},
                                 "http": {"endpoint": f"{local}:{self.query_port}"},
                                 "grpc": {"endpoint": f"{local}:{self.query_grpc_port}"}}},
            "receivers": receivers, "processors": processors,
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "mem"}},
            "service": {"extensions": ["jaeger_storage", "jaeger_query"],
                        "telemetry": {"metrics": {"level": "none"}}, "pipelines": pipelines}}

    @staticmethod
    def receiver(way, port, certificates):
        protocol, _, security = way.partition("_")
        endpoint = {"endpoint": f"127.0.0.1:{port}"}
        if security:
            endpoint["tls"] = {"cert_file": str(certificates / "server.pem"),
                               "key_file": str(certificates / "server.key")}
        if security == "mtls":
            endpoint["tls"]["client_ca_file"] = str(certificates / "ca.pem")
        return {"protocols": {protocol: endpoint}}

    def start(self):
        super().__init__(self.directory, "jaeger", [self.binary, "--config", self.config])
        for port in [*self.ports.values(), self.query_port]:
            self.wait_port(port)

    @property
    def otlp_port(self):
        return self.ports["grpc"]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.otlp_port}"

    def query(self, path):
        status, text = e2e.http_get(f"http://127.0.0.1:{self.query_port}/api/{path}")
        return json.loads(text).get("data") if status == 200 else None

    def spans_by_way(self, trace_id):
        """way -> ids of the spans of one trace that came by it, each as often as it came."""
        found = {}
        for trace in self.query(f"traces/{trace_id}") or []:
            for span in trace["spans"]:
                way = next((t["value"] for t in span["tags"] if t["key"] == BY), None)
                found.setdefault(way, []).append(span["spanID"])
        return found

    def trace(self, trace_id):
        """span id -> Jaeger's span, of one trace; empty while it is not there."""
        traces = self.query(f"traces/{trace_id}") or [{"spans": [], "processes": {}}]
        for span in traces[0]["spans"]:
            span["service"] = traces[0]["processes"][span["processID"]]["serviceName"]
            span["tags"] = {tag["key"]: tag["value"] for tag in span["tags"]}
        return {span["spanID"]: span for span in traces[0]["spans"]}
