#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shapes that HTTP/1.1 allows, by programs that others wrote: bodies of every framing, no body,
large bodies in both directions, pipelining, HTTP/1.0, 100-continue, sendfile, a connection that is
cut. Each request is exactly one CLIENT and one SERVER span with its method and status."""
import socket
import subprocess
import time

import flowtrace_e2e as e2e

SHAPES = e2e.ROOT / "tests" / "e2e" / "peers" / "shapes.js"

NGINX = """
daemon off; worker_processes 1; pid {dir}/static.pid; error_log {dir}/static.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; root {dir}/static; }}
}}
"""

# id -> curl's arguments ({url} is the shapes server), method, status
CURLS = {
    "length": (["{url}/length/length"], "GET", 200),
    "chunked": (["{url}/chunked/chunked"], "GET", 200),
    "empty": (["{url}/empty/empty"], "GET", 204),
    "unchanged": (["{url}/unchanged/unchanged"], "GET", 304),
    "slow": (["{url}/slow/slow"], "GET", 200),
    "close": (["{url}/close/close"], "GET", 200),
    "big": (["{url}/big/big"], "GET", 200),
    "missing": (["{url}/nowhere/missing"], "GET", 404),
    "head": (["-I", "{url}/length/head"], "HEAD", 200),
    "old": (["-0", "{url}/length/old"], "GET", 200),
    "delete": (["-X", "DELETE", "{url}/empty/delete"], "DELETE", 204),
    "post": (["-d", "a=b", "{url}/echo/post"], "POST", 200),
    "upload": (["-T", "{upload}", "-H", "Expect:", "{url}/echo/upload"], "PUT", 200),
    "continue": (["-T", "{upload}", "-H", "Expect: 100-continue", "{url}/echo/continue"], "PUT",
                 200),
    "chunks": (["-T", "{upload}", "-H", "Transfer-Encoding: chunked", "{url}/echo/chunks"], "PUT",
               200),
    "long": (["-H", "X-Long: " + "y" * 6000, "{url}/length/long"], "GET", 200),
    "file": (["{static}/file"], "GET", 200),
}


class HttpShapes(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port, cls.static_port = e2e.free_port(), e2e.free_port()
        (cls.directory / "static").mkdir(mode=0o755)
        (cls.directory / "static" / "file").write_bytes(b"x" * (1 << 20))
        (cls.directory / "upload").write_bytes(b"y" * (2 << 20))
        config = cls.directory / "static.conf"
        config.write_text(NGINX.format(dir=cls.directory, port=cls.static_port))
        cls.start("shapes", ["node", SHAPES, cls.port], cls.port)
        cls.start("static", ["nginx", "-e", cls.directory / "static.log", "-p", cls.directory,
                             "-c", config], cls.static_port)
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set",
            f"select.ports={cls.port},{cls.static_port}").wait_ready())
        for name, (arguments, _, _) in CURLS.items():
            cls.curl(name, arguments)
        cls.curl_status = cls.curl("cut", ["{url}/cut/cut"], check=False)
        cls.pipeline()
        cls.keep_alive()
        time.sleep(0.5)
        agent.stop()
        cls.spans = agent.spans()
        cls.totals = agent.totals()

    @classmethod
    def start(cls, name, command, port):
        cls.keep(e2e.Program(cls.directory, name, command)).wait_port(port)

    @classmethod
    def curl(cls, name, arguments, check=True):
        places = {"url": f"http://127.0.0.1:{cls.port}", "upload": cls.directory / "upload",
                  "static": f"http://127.0.0.1:{cls.static_port}"}
        return subprocess.run(["curl", "-s", "-o", "/dev/null",
                               *(a.format(**places) for a in arguments)],
                              check=check, timeout=30).returncode

    @classmethod
    def pipeline(cls):
        requests = "".join(f"GET /length/pipelined-{i} HTTP/1.1\r\nHost: x\r\n\r\n"
                           for i in range(5))
        with socket.create_connection(("127.0.0.1", cls.port)) as s:
            s.sendall(requests.encode())
            answers = b""
            while answers.count(b"hello") < 5:
                answers += s.recv(65536)

    @classmethod
    def keep_alive(cls):
        urls = [f"http://127.0.0.1:{cls.port}/{shape}/kept-{shape}"
                for shape in ("length", "chunked", "empty", "unchanged", "big", "length")]
        subprocess.run(["curl", "-s", *(a for u in urls for a in ("-o", "/dev/null", u))],
                       check=True, timeout=30)

    def both(self, name):
        spans = sorted((s for s in self.spans if s.id == name), key=lambda s: -s.kind)
        self.assertEqual([s.kind for s in spans], [e2e.KIND_CLIENT, e2e.KIND_SERVER],
                         f"{name}: {spans}")
        return spans

    def test_every_shape_is_one_span_at_each_end_with_method_and_status(self):
        for name, (_, method, status) in CURLS.items():
            with self.subTest(name):
                for span in self.both(name):
                    self.assertEqual(span.attributes.get("http.request.method"), method, span)
                    self.assertEqual(span.attributes.get("http.response.status_code"), status,
                                     f"{span} {span.attributes}")

    def test_the_two_ends_are_parent_and_child(self):
        for name in CURLS:
            with self.subTest(name):
                client, server = self.both(name)
                self.assertEqual(server.parent_id, client.span_id)
                self.assertEqual(server.trace_id, client.trace_id)

    def test_a_slow_answer_lasts_as_long_as_it_took(self):
        for span in self.both("slow"):
            self.assertGreater(span.end - span.start, 290_000_000)
            self.assertLess(span.end - span.start, 600_000_000)

    def test_pipelined_requests_have_their_own_spans_at_the_server(self):
        for i in range(5):
            servers = [s for s in self.spans
                       if s.id == f"pipelined-{i}" and s.kind == e2e.KIND_SERVER]
            self.assertEqual(len(servers), 1, f"pipelined-{i}")
            self.assertEqual(servers[0].attributes.get("http.response.status_code"), 200)

    def test_one_connection_carries_all_shapes_in_turn(self):
        for shape, status, n in (("length", 200, 2), ("chunked", 200, 1), ("empty", 204, 1),
                                 ("unchanged", 304, 1), ("big", 200, 1)):
            spans = [s for s in self.spans if s.id == f"kept-{shape}"]
            self.assertEqual(len(spans), 2 * n, f"kept-{shape}: {spans}")
            self.assertEqual({s.attributes.get("http.response.status_code") for s in spans},
                             {status})

    def test_an_answer_that_is_cut_is_an_error_at_the_client(self):
        self.assertNotEqual(self.curl_status, 0)
        client = [s for s in self.spans if s.id == "cut" and s.kind == e2e.KIND_CLIENT]
        self.assertEqual(len(client), 1)
        self.assertTrue(client[0].error, client[0].attributes)

    def test_nothing_is_lost(self):
        self.assertEqual(e2e.sum_of(self.totals, "Exchanges lost"), 0, self.totals)


if __name__ == "__main__":
    e2e.main()
