#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers: what OpenTelemetry SDKs and tools send to local sockets arrives whole at the exporter,
with the process that the kernel says it is; what is hostile is refused and costs nobody else."""
import gzip
import http.client
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import time
import urllib.parse

import flowtrace_e2e as e2e

PEERS = pathlib.Path(__file__).parent / "peers"
JSON = {"Content-Type": "application/json"}


def got(script):
    """What scripts/get-NAME prints, after it has got it."""
    return subprocess.run([e2e.ROOT / "scripts" / script], capture_output=True, text=True,
                          check=True).stdout.splitlines()[-1]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Receivers(e2e.Case):
    """An agent with all receivers, which traces nothing by itself."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.directory / "run"
        cls.port = e2e.free_port()
        settings = ["receivers.local=true", f"receivers.directory={cls.folder}", "select.ports=1",
                    f"receivers.http=127.0.0.1:{cls.port}", *cls.settings]
        cls.agent = cls.keep(e2e.Agent(cls.directory, *[a for s in settings for a in ("--set", s)])
                             .wait_ready())
        cls.url = f"http://127.0.0.1:{cls.port}/v1/traces"
        path = urllib.parse.quote(str(cls.folder / "http.sock"), safe="")
        cls.unix_url = f"http+unix://{path}/v1/traces"

    def post(self, body, headers=JSON, path="/v1/traces"):
        connection = UnixConnection(self.folder / "http.sock")
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response, text

    def lines(self):
        """All requests that the file exporter wrote so far."""
        text = self.agent.spans_path.read_text() if self.agent.spans_path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def groups(self, service):
        """(resource attributes, scope, spans) of what was sent as `service`."""
        found = []
        for line in self.lines():
            for group in line["resourceSpans"]:
                resource = e2e.attributes_of(group["resource"].get("attributes", []))
                if resource.get("service.name") == service:
                    found += [(resource, scope) for scope in group["scopeSpans"]]
        return found

    def spans_of(self, service):
        return [span for _, scope in self.groups(service) for span in scope["spans"]]

    def wait_spans(self, service, n):
        e2e.wait_until(lambda: len(self.spans_of(service)) >= n, f"{n} spans of {service}")
        return self.spans_of(service)


def request_of(service, *spans):
    attributes = [{"key": "service.name", "value": {"stringValue": service}}]
    return {"resourceSpans": [{"resource": {"attributes": attributes},
                               "scopeSpans": [{"spans": list(spans)}]}]}


def span_of(**members):
    ids = {"traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": "step",
           "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000"}
    return {**ids, **members}


class Sdks(Receivers):
    def send(self, url, n, service, **environment):
        env = {**os.environ, "OTEL_SERVICE_NAME": service, **environment}
        if not service:
            del env["OTEL_SERVICE_NAME"]
        done = subprocess.run([got("get-receiver-clients"), PEERS / "sdk.py", url, str(n)],
                              capture_output=True, text=True, timeout=60, env=env, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return int(done.stdout.split()[0])

    def test_the_sdk_for_python_delivers_over_a_unix_socket_with_its_process(self):
        service = e2e.unique("shop")
        pid = self.send(self.unix_url, 700, service)
        self.wait_spans(service, 700)
        self.assertEqual(len(self.spans_of(service)), 700)
        for resource, scope in self.groups(service):
            self.assertEqual(resource["process.pid"], pid)
            self.assertIn("python", resource["process.executable.name"])
            self.assertEqual(resource["host.name"], socket.gethostname())
            self.assertEqual(resource["telemetry.sdk.language"], "python")
            self.assertNotIn("telemetry.distro.name", resource)
            self.assertEqual(scope["scope"], {"name": "orders", "version": "1.2.3"})
            self.assertEqual(scope["schemaUrl"], "https://opentelemetry.io/schemas/1.37.0")
        span = self.spans_of(service)[0]
        self.assertEqual(span["events"][0]["name"], "half way")
        numbers = span["attributes"][0]["value"]["arrayValue"]["values"]
        self.assertEqual([number["intValue"] for number in numbers], ["1", "2", "3"])

    def test_a_service_that_has_no_name_is_called_as_its_program(self):
        self.send(self.unix_url, 3, "")
        spans = self.wait_spans("sdk", 3)  # sdk.py
        self.assertEqual(len(spans), 3)

    def test_the_sdk_for_python_delivers_over_tcp_compressed_and_nothing_is_added(self):
        service = e2e.unique("shop")
        self.send(self.url, 100, service, OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
        self.wait_spans(service, 100)
        for resource, _ in self.groups(service):
            self.assertNotIn("process.pid", resource)

    def test_the_sdk_for_node_delivers_in_protobuf_and_json(self):
        for encoding in ("proto", "http"):
            service = e2e.unique("cart")
            env = {**os.environ, "NODE_PATH": got("get-node-sdk"), "OTEL_SERVICE_NAME": service}
            subprocess.run(["node", PEERS / "sdk.js", encoding, self.url, "300"], timeout=60,
                           env=env, check=True)
            self.wait_spans(service, 300)
            self.assertEqual(len(self.spans_of(service)), 300)

    def test_telemetrygen_counts_what_arrives(self):
        service = e2e.unique("telemetrygen")
        subprocess.run([got("get-telemetrygen"), "traces", "--otlp-http", "--otlp-insecure",
                        "--otlp-endpoint", f"127.0.0.1:{self.port}", "--traces", "500",
                        "--rate", "0", "--service", service],
                       timeout=60, check=True, capture_output=True)
        spans = self.wait_spans(service, 1000)
        self.assertEqual(len(spans), 1000)  # each trace has two
        self.assertEqual(len({s["traceId"] for s in spans}), 500)


class Answers(Receivers):
    settings = ("receivers.message_max=256KiB",)

    def test_the_sockets_are_open_to_their_group_alone(self):
        mode = (self.folder / "http.sock").stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)

    def test_the_examples_of_the_specification_land(self):
        example = json.loads((PEERS / "otlp_trace_example.json").read_text())
        response, text = self.post(json.dumps(example))
        self.assertEqual((response.status, json.loads(text)), (200, {}))
        span = self.wait_spans("my.service", 1)[0]
        self.assertEqual(span["traceId"], "5b8efff798038103d269b633813fc60c")
        _, scope = self.groups("my.service")[0]
        self.assertEqual(scope["scope"]["attributes"][0]["key"], "my.scope.attribute")

    def test_spans_that_are_invalid_are_a_partial_success(self):
        service = e2e.unique("partial")
        body = request_of(service, span_of(), span_of(traceId=""), span_of(spanId="0" * 16))
        response, text = self.post(json.dumps(body))
        self.assertEqual(response.status, 200)
        self.assertEqual(json.loads(text)["partialSuccess"]["rejectedSpans"], "2")
        self.assertEqual(len(self.wait_spans(service, 1)), 1)

    def test_what_is_wrong_is_answered_as_the_specification_says(self):
        good = json.dumps(request_of("x", span_of())).encode()
        cases = [
            (b"{", JSON, 400), (b"\xff" * 9, {"Content-Type": "application/x-protobuf"}, 400),
            (good, {"Content-Type": "text/plain"}, 415), (good, {}, 415),
            (good, {**JSON, "Content-Encoding": "br"}, 415),
            (good, {**JSON, "Content-Encoding": "gzip"}, 400),
            (gzip.compress(good)[:-9], {**JSON, "Content-Encoding": "gzip"}, 400),
            (b" " * 300000, JSON, 413),
            (gzip.compress(b" " * (64 << 20)), {**JSON, "Content-Encoding": "gzip"}, 413),
            (b"[" * 200000, JSON, 400), (b"[" + b"0," * 100000, JSON, 400),
        ]
        for body, headers, status in cases:
            response, text = self.post(body, headers)
            self.assertEqual(response.status, status, (body[:20], headers))
            if headers == JSON:
                self.assertGreater(json.loads(text)["code"], 0)
        connection = UnixConnection(self.folder / "http.sock")
        connection.request("GET", "/v1/traces")
        response = connection.getresponse()
        self.assertEqual((response.status, response.getheader("Allow")), (405, "POST"))
        self.assertEqual(self.post(b"", path="/v1/metrics")[0].status, 404)

    def test_an_empty_request_is_a_success(self):
        response, text = self.post(b"", {"Content-Type": "application/x-protobuf"})
        self.assertEqual((response.status, text), (200, b""))

    def test_who_is_slow_or_gone_halfway_delays_nobody(self):
        slow = []
        for _ in range(40):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(self.folder / "http.sock"))
            client.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n"
                           b"Content-Type: application/json\r\n\r\n{")
            slow.append(client)
        service = e2e.unique("quick")
        self.assertEqual(self.post(json.dumps(request_of(service, span_of())))[0].status, 200)
        for client in slow:
            client.close()
        self.wait_spans(service, 1)

    def test_connections_beyond_a_process_s_share_are_closed_and_others_served(self):
        greedy = e2e.Program(self.directory, "greedy", [
            sys.executable, "-c", "import socket, sys, time\n"
            "held = [socket.socket(socket.AF_UNIX) for _ in range(100)]\n"
            "for client in held: client.connect(sys.argv[1])\n"
            "time.sleep(60)", self.folder / "http.sock"])
        self.addCleanup(greedy.process.kill)
        e2e.wait_until(lambda: self.agent.counters()["received_cut_off"] >= 36, "36 cut off")
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
             self.folder / "http.sock", "-H", "Content-Type: application/json", "--data",
             json.dumps(request_of("other", span_of())), "http://x/v1/traces"],
            capture_output=True, text=True, timeout=20, check=True)
        self.assertEqual(done.stdout, "200")


class Pressure(Receivers):
    """A backend that is away: what is accepted waits, then clients are told to come again."""
    settings = ("queue.bytes=64KiB", "batch.bytes=16KiB", "batch.age=10ms", "drain.timeout=0s")

    @classmethod
    def setUpClass(cls):
        e2e.Case.setUpClass.__func__(cls)
        cls.folder = cls.directory / "run"
        settings = ["receivers.local=true", f"receivers.directory={cls.folder}", "select.ports=1",
                    *cls.settings]
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *[a for s in settings for a in ("--set", s)],
            exports=[f"otlp_http:http://127.0.0.1:{e2e.free_port()}"]).wait_ready())

    def test_clients_are_told_to_come_again_and_all_that_was_taken_is_counted(self):
        taken = 0
        end = time.monotonic() + 30
        while time.monotonic() < end:
            spans = [span_of(name="x" * 200) for _ in range(20)]
            response, text = self.post(json.dumps(request_of("shop", *spans)))
            if response.status == 503:
                break
            self.assertEqual(response.status, 200)
            taken += 20
        self.assertEqual(response.status, 503)
        self.assertEqual(response.getheader("Retry-After"), "1")
        self.assertEqual(json.loads(text)["code"], 14)
        counters = self.agent.counters()
        self.assertEqual(counters["received_spans"], taken)
        self.assertGreaterEqual(counters["received_postponed"], 1)
        self.agent.stop()
        totals = self.agent.totals()
        self.assertEqual(totals["received_spans"], taken)
        self.assertIn(f"{taken} spans offered", self.agent.errors())


class Lifetime(e2e.Case):
    def start(self, name):
        return self.keep(e2e.Agent(self.directory, "--set", "receivers.local=true", "--set",
                                   f"receivers.directory={self.directory / 'run'}", "--set",
                                   "select.ports=1", name=name))

    def test_sockets_go_with_the_agent_and_stale_ones_are_replaced_live_ones_not(self):
        path = self.directory / "run" / "http.sock"
        first = self.start("first").wait_ready()
        second = self.start("second")
        self.assertEqual(second.wait(), 1)
        self.assertIn("another agent does", second.errors())
        self.assertTrue(path.is_socket())
        first.process.kill()
        first.wait()
        self.assertTrue(path.is_socket())
        third = self.start("third").wait_ready()
        third.stop()
        self.assertFalse(path.exists())


class Quiet(e2e.Case):
    def test_what_programs_tell_the_agent_on_unix_sockets_is_not_traced(self):
        agent = self.keep(e2e.Agent(
            self.directory, "--set", "receivers.local=true", "--set",
            f"receivers.directory={self.directory / 'run'}", "--set",
            "select.executables=curl").wait_ready())
        service = e2e.unique("told")
        for _ in range(5):
            done = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
                 self.directory / "run" / "http.sock", "-H", "Content-Type: application/json",
                 "--data", json.dumps(request_of(service, span_of())), "http://x/v1/traces"],
                capture_output=True, text=True, timeout=20, check=True)
            self.assertEqual(done.stdout, "200")
        agent.stop()
        self.assertEqual([span.name for span in agent.spans() if span.service == service],
                         ["step"] * 5)
        self.assertEqual([span for span in agent.spans() if span.path == "/v1/traces"], [])


if __name__ == "__main__":
    e2e.main()
