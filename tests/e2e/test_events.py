#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Business events on local sockets: by a CloudEvents SDK, curl, socat, plain sockets and the own
emit. Each that was taken is a span, with the process that sent it; the senders' counts are true."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import flowtrace_e2e as e2e

PEERS = pathlib.Path(__file__).parent / "peers"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Events(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.directory / "run"
        cls.port = e2e.free_port()
        settings = ["receivers.local=true", f"receivers.directory={cls.folder}", "select.ports=1",
                    f"receivers.http=127.0.0.1:{cls.port}", "receivers.fields=order.total"]
        cls.agent = cls.keep(e2e.Agent(cls.directory, *[a for s in settings for a in ("--set", s)])
                             .wait_ready())
        cls.url = f"http://127.0.0.1:{cls.port}/events"

    def spans(self, name):
        if not self.agent.spans_path.exists():
            return []
        return [span for span in self.agent.spans() if span.name == name]

    def wait_spans(self, name, n):
        e2e.wait_until(lambda: len(self.spans(name)) >= n, f"{n} spans {name}")
        spans = self.spans(name)
        self.assertEqual(len(spans), n)
        return spans

    def emit(self, *arguments, **environment):
        return subprocess.run([e2e.AGENT, "emit", "--directory", self.folder, *arguments],
                              capture_output=True, text=True, timeout=20, check=False,
                              env={**os.environ, **environment})

    def send(self, kind, name, data):
        with socket.socket(socket.AF_UNIX, kind) as client:
            client.connect(str(self.folder / name))
            client.sendall(data)
            if kind == socket.SOCK_STREAM:
                client.shutdown(socket.SHUT_WR)
                client.settimeout(20)
                return client.makefile().read()
        return ""

    def test_a_cloudevents_sdk_delivers_in_both_modes(self):
        python = subprocess.run([e2e.ROOT / "scripts" / "get-receiver-clients"], check=True,
                                capture_output=True, text=True).stdout.splitlines()[-1]
        ids = subprocess.run([python, PEERS / "cloudevents_sdk.py", self.url, "200"], check=True,
                             capture_output=True, text=True, timeout=60).stdout.split()
        spans = self.wait_spans("order.shipped", 200)
        self.assertEqual({s.attributes["cloudevents.event_id"] for s in spans}, set(ids))
        self.assertEqual({s.attributes["cloudevents.event_source"] for s in spans}, {"/shop"})
        self.assertEqual({s.attributes["cloudevents.correlationid"] for s in spans},
                         {f"run-{i}" for i in range(7)})
        self.assertEqual({s.attributes["flowtrace.data.order.total"] for s in spans},
                         set(range(200)))
        self.assertFalse("not to be seen" in self.agent.spans_path.read_text())

    def test_a_batch_by_curl_is_taken_whole_or_not_at_all(self):
        name = e2e.unique("batch")
        event = {"specversion": "1.0", "type": name, "source": "/curl", "id": "1"}
        for events, status in (([event, {**event, "id": "2"}], "202"), ([event, {}], "400")):
            done = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
                 self.folder / "http.sock", "-H",
                 "Content-Type: application/cloudevents-batch+json", "--data", json.dumps(events),
                 "http://localhost/events"], capture_output=True, text=True, check=True, timeout=20)
            self.assertEqual(done.stdout, status)
        for span in self.wait_spans(name, 2):
            self.assertEqual(span.service, "curl")

    def test_headers_that_are_percent_encoded_are_decoded(self):
        name = e2e.unique("headers")
        done = subprocess.run(
            ["curl", "-s", "-w", "%{http_code}", "-H", "ce-specversion: 1.0", "-H",
             f"CE-Type: {name}", "-H", "ce-source: /caf%C3%A9%20%", "-H", "ce-id: 1", "-H",
             f"ce-traceparent: 00-{TRACE}-{PARENT}-01", "-H", "Content-Type: text/plain", "--data",
             "hello", self.url], capture_output=True, text=True, check=True, timeout=20)
        self.assertEqual(done.stdout, "202")
        span = self.wait_spans(name, 1)[0]
        self.assertEqual(span.attributes["cloudevents.event_source"], "/café %")
        self.assertEqual((span.trace_id, span.parent_id), (TRACE, PARENT))

    def test_what_is_no_event_is_answered_with_the_reason(self):
        for headers in ([], ["-H", "ce-type: x"], ["-H", "ce-type: x", "-H", "ce-specversion: 0.3",
                                                   "-H", "ce-id: 1", "-H", "ce-source: /x"]):
            done = subprocess.run(["curl", "-s", "-w", "%{http_code}", *headers, "--data", "x",
                                   self.url], capture_output=True, text=True, check=True,
                                  timeout=20)
            self.assertTrue(done.stdout.endswith("400"), done.stdout)
            self.assertIn("the event", done.stdout)

    def test_lines_by_socat_are_events_of_its_process_and_bad_ones_are_complained_of(self):
        name = e2e.unique("line")
        lines = [json.dumps({"type": name, "subject": str(i)}) for i in range(300)]
        text = "\n".join([*lines[:150], "{", "", *lines[150:]])  # the last without newline
        done = subprocess.run(["socat", "-t", "5", "-", f"UNIX-CONNECT:{self.folder}/events.sock"],
                              input=text, capture_output=True, text=True, timeout=20, check=True)
        self.assertEqual(done.stdout, "this is no JSON\n")
        spans = self.wait_spans(name, 300)
        self.assertEqual({s.attributes["cloudevents.event_subject"] for s in spans},
                         {str(i) for i in range(300)})
        self.assertEqual(len({s.span_id for s in spans}), 300)
        self.assertTrue(all(s.resource["process.executable.name"].startswith("socat")
                            for s in spans))

    def test_datagrams_are_events_of_the_process_that_the_kernel_names(self):
        name = e2e.unique("datagram")
        for i in range(200):
            self.send(socket.SOCK_DGRAM, "events.dgram", json.dumps(
                {"type": name, "id": str(i), "source": "/test",
                 "traceparent": f"00-{TRACE}-{PARENT}-01"}).encode())
        for span in self.wait_spans(name, 200):
            self.assertEqual(span.resource["process.pid"], os.getpid())
            self.assertEqual((span.trace_id, span.parent_id, span.evidence),
                             (TRACE, PARENT, "header"))

    def test_emit_says_that_it_was_taken_or_why_not(self):
        name = e2e.unique("emit")
        done = self.emit("--type", name, "--subject", "4711", "--correlation", "run 1", "--data",
                         '{"order": {"total": 7}}', TRACEPARENT=f"00-{TRACE}-{PARENT}-01",
                         OTEL_SERVICE_NAME="shipping")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        span = self.wait_spans(name, 1)[0]
        self.assertEqual((span.trace_id, span.parent_id), (TRACE, PARENT))
        self.assertEqual(span.service, "shipping")
        self.assertEqual(span.attributes["cloudevents.event_subject"], "4711")
        self.assertEqual(span.attributes["cloudevents.correlationid"], "run 1")
        self.assertEqual(span.attributes["flowtrace.data.order.total"], 7)
        done = self.emit("--type", name, "--time", "yesterday")
        self.assertEqual(done.returncode, 1)
        self.assertIn("RFC 3339", done.stderr)
        self.assertEqual(self.emit().returncode, 2)
        self.assertEqual(self.emit("--type", name, "--data", "{").returncode, 2)
        done = self.emit("--type", name, "--directory", self.directory / "nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("receivers.local=true", done.stderr)

    def test_hostile_senders_are_refused_and_cost_nobody_else(self):
        before = self.agent.counters()["received_refused"]
        long = b'{"type": "' + b"x" * 100000
        self.assertEqual(self.send(socket.SOCK_STREAM, "events.sock", long + b"\n"),
                         "the line is too long\n")
        for data in (b"[" * 50000, b"\xff\xfe", b"{}", b"[0," * 30000):
            self.send(socket.SOCK_DGRAM, "events.dgram", data)
        name = e2e.unique("fine")
        self.assertEqual(self.send(socket.SOCK_STREAM, "events.sock",
                                   json.dumps({"type": name}).encode()), "")
        self.wait_spans(name, 1)
        self.assertEqual(self.agent.counters()["received_refused"], before + 5)

    def test_a_flood_of_one_sender_leaves_room_for_others_and_loses_nothing(self):
        name, quick = e2e.unique("flood"), e2e.unique("quick")
        flood = e2e.Program(self.directory, "flood", [
            sys.executable, "-c", "import socket, sys\n"
            "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
            "for i in range(20000): s.sendall(b'{\"type\":\"%s\"}\\n' % sys.argv[2].encode())",
            self.folder / "events.sock", name])
        self.assertEqual(self.emit("--type", quick).returncode, 0)
        self.assertEqual(flood.wait(60), 0)
        self.wait_spans(quick, 1)
        self.wait_spans(name, 20000)


if __name__ == "__main__":
    if not shutil.which("socat"):
        sys.exit("socat is needed: scripts/test installs it")
    e2e.main()
