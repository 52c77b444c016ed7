#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 in clear text between programs that others wrote: curl, nghttp, h2load and Node against
nghttpd, nginx and nghttpx; by prior knowledge, by upgrade from HTTP/1.1, and joined midway. Each request is
exactly one CLIENT and one SERVER span; tshark dissects the same bytes and must agree."""
import collections
import contextlib
import json
import random
import re
import secrets
import socket
import subprocess
import time

import flowtrace_e2e as e2e

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
  log_format times "$msec $request_uri"; access_log {dir}/access.log times;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  keepalive_requests 100000;
  server {{
    listen 127.0.0.1:{port} http2; root {dir}/root;
    location /gone {{ return 410; }}
    location /broken {{ return 503; }}
  }}
}}
"""

# id -> curl's arguments, method, status; what has a body goes to nghttpd, which reads it
CURLS = {
    "plain": ([], "GET", 200),
    "head": (["-I"], "HEAD", 200),
    "put": (["-X", "PUT", "-d", "a=b"], "PUT", 200),
    "post": (["-d", "x" * 3000], "POST", 200),
    "gone": ([], "GET", 410),
    "broken": ([], "GET", 503),
    "missing": ([], "GET", 404),
    "long": (["-H", "X-Long: " + "y" * 9000], "GET", 200),
    "secret": (["-H", "Authorization: Bearer s3cr3t", "-b", "session=s3cr3t"], "GET", 200),
}


# Node's own client: so many streams at once on one session; it prints how its requests ended.
NODE = """
const http2 = require('http2'), [port, concurrency, n] = process.argv.slice(1).map(Number);
const session = http2.connect(`http://127.0.0.1:${port}`), seen = {};
let sent = 0, open = 0;
function next() {
  if (sent === n) return open || session.close(() => console.log(JSON.stringify(seen)));
  const path = sent++ % 4 ? '/file' : '/missing-by-node';
  const stream = session.request({':path': path});
  open++;
  stream.on('response', (headers) => {
    const key = `${path} ${headers[':status']}`;
    seen[key] = (seen[key] || 0) + 1;
  });
  stream.on('end', () => { open--; next(); }).resume();
}
for (let i = 0; i < concurrency; i++) next();
"""


def frame(kind, flags=0, stream=0, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
            payload)


class Http2(e2e.Case):
    """Servers, and an agent that sees the largest heads: many streams share an operation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = cls.directory / "root"
        root.mkdir(mode=0o755)
        for name in [*CURLS, "file"]:
            if name not in ("gone", "broken", "missing"):
                (root / name).write_bytes(b"x" * 100)
        cls.nginx_port, cls.nghttpd_port = e2e.free_port(), e2e.free_port()
        cls.nghttpx_port = e2e.free_port()
        config = cls.directory / "nginx.conf"
        config.write_text(NGINX.format(dir=cls.directory, port=cls.nginx_port))
        cls.start("nginx", ["nginx", "-e", cls.directory / "nginx.log", "-p", cls.directory,
                            "-c", config], cls.nginx_port)
        cls.start("nghttpd", ["nghttpd", "--no-tls", "-d", root, cls.nghttpd_port],
                  cls.nghttpd_port)
        cls.start("nghttpx", ["nghttpx", "--conf=/dev/null", "--workers=1",
                              f"--frontend=127.0.0.1,{cls.nghttpx_port};no-tls",
                              f"--backend=127.0.0.1,{cls.nghttpd_port};;proto=h2"],
                  cls.nghttpx_port)

    @classmethod
    def start(cls, name, command, port):
        cls.keep(e2e.Program(cls.directory, name, command)).wait_port(port)

    @classmethod
    def start_agent(cls, name, *ports):
        return cls.keep(e2e.Agent(cls.directory, "--set", "capture.head=16KiB", "--set",
                                  "capture.ring=32MiB", "--set",
                                  f"select.ports={','.join(map(str, ports))}",
                                  name=name).wait_ready())

    def curl(self, *arguments):
        """The version of each answer."""
        return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_version} ",
                               *arguments], check=True, timeout=30, capture_output=True,
                              text=True).stdout.split()

    def load(self, port, *arguments, path="/file"):
        """h2load's own count of what succeeded."""
        out = subprocess.run(["h2load", *map(str, arguments), f"http://127.0.0.1:{port}{path}"],
                             check=True, timeout=60, capture_output=True, text=True).stdout
        return int(re.search(r"(\d+) succeeded", out)[1])

    def spans_of(self, agent, n_unpaired=0):
        """At most so many answers may come to requests that were sent before the agent was there."""
        agent.stop()
        totals = agent.totals()
        self.assertEqual(e2e.sum_of(totals, "Exchanges lost"), 0, totals)
        self.assertLessEqual(totals["responses_unpaired"], n_unpaired, totals)
        return agent.spans()

    def assert_both_ends(self, spans, expected):
        """expected: (method, path, status) -> how often"""
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            found = collections.Counter(
                (s.attributes.get("http.request.method"), s.path,
                 s.attributes.get("http.response.status_code"))
                for s in spans if s.kind == kind)
            self.assertEqual(found, collections.Counter(expected), kind)
        clients = {s.span_id for s in spans if s.kind == e2e.KIND_CLIENT}
        for span in spans:
            self.assertNotIn("flowtrace.incomplete", span.attributes, span)
            self.assertEqual(span.attributes["network.protocol.version"], "2")
            if span.kind == e2e.KIND_SERVER:
                self.assertIn(span.parent_id, clients, span)

    def test_methods_and_statuses_are_those_of_the_client(self):
        agent = self.start_agent("agent-shapes", self.nginx_port, self.nghttpd_port)
        for name, (arguments, _, _) in CURLS.items():
            port = self.nghttpd_port if "-d" in arguments else self.nginx_port
            versions = self.curl("--http2-prior-knowledge", *arguments,
                                 f"http://127.0.0.1:{port}/{name}?q=1")
            self.assertEqual(versions, ["2"])
        spans = self.spans_of(agent)
        self.assert_both_ends(spans, {(method, f"/{name}", status): 1
                                      for name, (_, method, status) in CURLS.items()})
        for span in spans:
            is_error = span.attributes["http.response.status_code"] >= (
                500 if span.kind == e2e.KIND_SERVER else 400)
            self.assertEqual(span.error, is_error, span)
        self.assertNotIn("s3cr3t", agent.spans_path.read_text())

    def test_every_concurrency_gives_one_span_per_request_at_each_end(self):
        for port in (self.nginx_port, self.nghttpd_port):
            for clients, streams in ((1, 1), (1, 16), (1, 64), (16, 1), (1, 100), (16, 64)):
                with self.subTest(f"{clients} connections, {streams} streams"):
                    agent = self.start_agent(f"agent-{port}-{clients}-{streams}", port)
                    n = self.load(port, "-n", 1600, "-c", clients, "-m", streams)
                    self.assertEqual(n, 1600)
                    self.assert_both_ends(self.spans_of(agent), {("GET", "/file", 200): n})

    def test_the_client_of_Node_counts_as_many(self):
        for port in (self.nginx_port, self.nghttpd_port):
            for concurrency in (1, 16, 64):
                with self.subTest(f"{concurrency} streams to {port}"):
                    agent = self.start_agent(f"agent-node-{port}-{concurrency}", port)
                    out = subprocess.run(["node", "-e", NODE, str(port), str(concurrency), "640"],
                                         check=True, timeout=60, capture_output=True, text=True)
                    seen = {("GET", *key.split()): n for key, n in json.loads(out.stdout).items()}
                    self.assertEqual(sum(seen.values()), 640)
                    self.assert_both_ends(self.spans_of(agent), {
                        (method, path, int(status)): n for (method, path, status), n in seen.items()})

    def test_an_upgraded_request_is_answered_in_the_new_version(self):
        agent = self.start_agent("agent-upgrade", self.nghttpx_port)
        url = f"http://127.0.0.1:{self.nghttpx_port}"
        self.assertEqual(self.curl("--http2", f"{url}/file"), ["2"])
        subprocess.run(["nghttp", "-nu", f"{url}/plain", f"{url}/long"], check=True, timeout=30)
        spans = self.spans_of(agent)
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            found = collections.Counter(
                (s.path, s.attributes["http.response.status_code"],
                 s.attributes["network.protocol.version"]) for s in spans if s.kind == kind)
            self.assertEqual(found, {("/file", 200, "1.1"): 1, ("/plain", 200, "1.1"): 1,
                                     ("/long", 200, "2"): 1})

    def test_a_context_in_the_fields_is_the_parent(self):
        trace, parent = secrets.token_hex(16), secrets.token_hex(8)
        agent = self.start_agent("agent-context", self.nginx_port)
        url = f"http://127.0.0.1:{self.nginx_port}/plain"
        for name, value in (("traceparent", f"00-{trace}-{parent}-01"),
                            ("b3", f"{trace}-{parent}-1")):
            self.curl("--http2-prior-knowledge", "-H", f"{name}: {value}", url)
        spans = self.spans_of(agent)
        self.assertEqual(len(spans), 4)
        for span in spans:
            self.assertEqual((span.trace_id, span.parent_id), (trace, parent), span)
            self.assertEqual(span.evidence, "header")

    def test_hostile_bytes_cost_their_own_connection_only(self):
        agent = self.start_agent("agent-hostile", self.nghttpd_port)
        begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4)
        block = b"\x82\x86\x84\x41\x01x"
        hostile = {
            "a bomb": frame(1, 5, 1, block + b"\x44\x7f\xd1\x0e" + b"/" * 2000 + b"\xbe" * 12000),
            "continuations": frame(1, 1, 1, block) + 3000 * frame(9, 0, 1),
            "a flood of pings": 2000 * frame(6, 0, 0, b"12345678"),
            "resets": b"".join(frame(1, 5, i, block) + frame(3, 0, i, b"\0\0\0\x08")
                               for i in range(1, 401, 2)),
            "a number without end": frame(1, 5, 1, b"\x82" + b"\xff" * 50),
            "half a frame": frame(1, 5, 1, block)[:-3],
            "noise": random.Random(1).randbytes(20000),
            "a long length": b"\xff\xff\xff\1\5\0\0\0\1" + block,
        }
        for name, content in hostile.items():
            with socket.create_connection(("127.0.0.1", self.nghttpd_port)) as s:
                with contextlib.suppress(OSError):
                    s.sendall(begin + content)
                    s.settimeout(0.1)
                    while s.recv(65536):
                        pass
            self.assertTrue(agent.running(), name)
        for _ in range(3):
            self.curl("--http2-prior-knowledge", f"http://127.0.0.1:{self.nghttpd_port}/plain")
        # The ring is mapped, not allocated, and large here.
        self.assertLess(e2e.resident(agent.process.pid)["anon"], 64 << 20)
        agent.stop()
        good = [s for s in agent.spans() if s.path == "/plain"]
        self.assertEqual(len(good), 6)
        for span in good:
            self.assertEqual(span.attributes["http.response.status_code"], 200)
            self.assertNotIn("flowtrace.incomplete", span.attributes)

    def test_another_dissector_agrees(self):
        agent = self.start_agent("agent-tshark", self.nghttpd_port)
        capture = self.directory / "capture.pcapng"
        tshark = self.keep(e2e.Program(self.directory, "tshark", [
            "tshark", "-q", "-i", "lo", "-f", f"tcp port {self.nghttpd_port}", "-w", capture]))
        e2e.wait_until(lambda: "Capturing on" in tshark.errors(), "tshark captures")
        e2e.wait_until(capture.exists, "a capture")
        base = f"http://127.0.0.1:{self.nghttpd_port}"
        for name in ("plain", "long", "missing", "secret"):
            subprocess.run(["nghttp", "-n", "-d", "/dev/null", "-H", ":method: PUT",
                            f"{base}/{name}?{name}"], check=True, timeout=30)
            subprocess.run(["nghttp", "-n", "-b", "50", f"{base}/{name}", f"{base}/file"],
                           check=True, timeout=30)
        n = self.load(self.nghttpd_port, "-n", 300, "-c", 3, "-m", 20)
        time.sleep(1)  # until the kernel has handed everything over
        tshark.stop()
        spans = self.spans_of(agent)
        seen = self.dissect(capture)
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            ours = [s for s in spans if s.kind == kind]
            self.assertGreater(len(ours), n)
            self.assertEqual(len(ours), len(seen["streams"]))
            self.assertEqual(collections.Counter((s.attributes["http.request.method"],
                                                  self.target(s)) for s in ours),
                             collections.Counter(seen["requests"]))
            self.assertEqual(collections.Counter(s.attributes["http.response.status_code"]
                                                 for s in ours),
                             collections.Counter(seen["statuses"]))

    @staticmethod
    def target(span):
        query = span.attributes.get("url.query")
        return span.path + (f"?{query}" if query else "")

    def dissect(self, capture):
        fields = ["tcp.stream", "http2.type", "http2.streamid", "http2.headers.method",
                  "http2.headers.path", "http2.headers.status"]
        out = subprocess.run(
            ["tshark", "-r", capture, "-d", f"tcp.port=={self.nghttpd_port},http2", "-Y", "http2",
             "-T", "fields", *(a for f in fields for a in ("-e", f))],
            check=True, timeout=60, capture_output=True, text=True).stdout
        seen = {"streams": set(), "requests": [], "statuses": []}
        for line in out.splitlines():
            connection, types, ids, methods, paths, statuses = (
                (part.split(",") if part else []) for part in line.split("\t"))
            seen["streams"] |= {(connection[0], i) for t, i in zip(types, ids) if t == "1"}
            seen["requests"] += zip(methods, paths)
            seen["statuses"] += map(int, statuses)
        return seen

    def test_a_connection_that_is_joined_midway_is_understood_and_nothing_is_guessed(self):
        n, log = 1200, self.directory / "access.log"
        urls = self.directory / "urls"
        urls.write_text("".join(f"http://127.0.0.1:{self.nginx_port}/file?i={i}\n"
                                for i in range(n)))
        load = self.keep(e2e.Program(self.directory, "midway", [
            "h2load", "-c", 1, "-m", 2, "-n", n, "--rps", 300, "-i", urls]))
        e2e.wait_until(lambda: "?i=200\n" in log.read_text(), "requests without an agent")
        agent = self.start_agent("agent-midway", self.nginx_port)
        load.wait()
        spans = self.spans_of(agent, n_unpaired=4)  # two open streams, seen by two ends
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            ids = [int(s.attributes["url.query"].removeprefix("i=")) for s in spans
                   if s.kind == kind]
            # Two are open at the join; from then on each is there once.
            self.assertEqual(len(ids), len(set(ids)))
            self.assertLessEqual(set(range(min(ids) + 2, n)), set(ids))
            self.assertGreater(len(ids), 300)
        for span in spans:
            self.assertEqual(span.path, "/file")
            self.assertEqual(span.attributes["http.response.status_code"], 200)
            self.assertFalse(span.error)
        # What was sent once, before the agent came, is known to be missing.
        self.assertTrue(any("flowtrace.incomplete" in s.attributes for s in spans))


if __name__ == "__main__":
    e2e.main()
