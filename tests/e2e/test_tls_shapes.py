#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shapes in which programs use OpenSSL: calls with and without _ex, a handshake of its own or
inside the first write, sockets that do not block, peeks, pairs and memories in between, and early
data, which is not seen and must not be taken for what it is not. BoringSSL, inside a Python module;
and TLS that is not seen, with the reason."""
import time

import flowtrace_e2e as e2e
from tls_e2e import PEERS, make_certificates, nginx_command, run

REQUESTS = 5
SHAPES = ("plain", "lazy", "ex", "nonblocking", "peek", "pair", "memory", "early")
EARLY = "ssl_protocols TLSv1.3; ssl_early_data on; location ~ /first$ { return 202; } location "
BORING = """
import sys
from curl_cffi import requests
with requests.Session(verify=sys.argv[1]) as session:
    print(sum(session.get(url).status_code == 200 for url in sys.argv[2:]))
"""


class Shapes(e2e.Case):
    prefix = e2e.unique("shape")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = run(e2e.ROOT / "scripts" / "get-python-peers").strip()
        make_certificates(cls.directory)
        run("gcc", "-w", "-o", cls.directory / "shapes", PEERS / "client_shapes.c", "-lssl",
            "-lcrypto")
        cls.port = e2e.free_port()
        d = cls.directory
        nginx = nginx_command(d, cls.port, ("location ", EARLY))
        cls.keep(e2e.Program(d, "nginx", nginx)).wait_port(cls.port)
        cls.agent = cls.keep(e2e.Agent(d, "--set", f"select.ports={cls.port}").wait_ready())
        said = run(d / "shapes", cls.port, f"/{cls.prefix}", REQUESTS).split()
        cls.good = dict(zip(said[::2], map(int, said[1::2])))
        urls = [f"https://localhost:{cls.port}/{cls.prefix}/boring/{i}" for i in range(REQUESTS)]
        cls.good["boring"] = int(run(cls.python, "-c", BORING, d / "ca.pem", *urls))
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    def spans_of(self, shape, kind):
        start = f"/{self.prefix}/{shape}/"
        return sorted((s for s in self.spans if s.kind == kind and s.path.startswith(start)),
                      key=lambda s: s.path)

    def test_every_request_is_one_client_and_one_server_span_that_belong_together(self):
        self.assertEqual(self.good, dict.fromkeys([*SHAPES, "boring"], REQUESTS))
        for shape in self.good:
            if shape == "early":
                continue
            with self.subTest(shape):
                clients, servers = (self.spans_of(shape, kind)
                                    for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER))
                paths = [f"/{self.prefix}/{shape}/{i}" for i in range(REQUESTS)]
                self.assertEqual([s.path for s in clients], paths)
                self.assertEqual([s.path for s in servers], paths)
                self.assertEqual([s.parent_id for s in servers], [s.span_id for s in clients])

    def test_early_data_is_not_seen_and_its_answer_is_no_other_requests(self):
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            spans = self.spans_of("early", kind)
            self.assertNotIn(f"/{self.prefix}/early/first", [s.path for s in spans])
            # The first behind what is unknown is not trusted yet.
            self.assertGreaterEqual(len(spans), REQUESTS - 1)
            # None: which answer is whose has no proof on such a connection.
            self.assertLessEqual({s.attributes.get("http.response.status_code") for s in spans},
                                 {200, None})
        self.assertGreaterEqual(self.agent.totals()["operations_early_data"], 2)

    def test_operations_are_used_or_lost_by_name(self):
        totals = self.agent.totals()
        self.assertEqual(totals["operations"], e2e.sum_of(totals, "Operations used") +
                         e2e.sum_of(totals, "Operations lost"))


if __name__ == "__main__":
    e2e.main()
