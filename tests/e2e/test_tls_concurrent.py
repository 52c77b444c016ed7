#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTPS with 1, 16 and 64 requests at once, between programs with four TLS libraries: every request
is one CLIENT and one SERVER span, they belong together, and the SERVER's peer is the port that the
client itself says it used."""
import os
import time

import flowtrace_e2e as e2e
from tls_e2e import (PEERS, build_go_peer, make_certificates, nginx_command, run,
                     server_commands)

REQUESTS = 64
CONCURRENCIES = (1, 16, 64)


class Concurrent(e2e.Case):
    prefix = e2e.unique("many")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = run(e2e.ROOT / "scripts" / "get-python-peers").strip()
        make_certificates(cls.directory)
        build_go_peer(cls.directory / "go_peer")
        cls.start_servers()
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, "--set", "select.ports=" + ",".join(map(str, cls.ports.values())),
            "--set", "capture.ring=64MiB").wait_ready())
        cls.good, cls.local_ports = {}, {}
        for concurrency in CONCURRENCIES:
            for server in cls.ports:
                cls.ask_by_curl(server, concurrency)
            for name, command in cls.clients().items():
                cls.ask(name, command, "nginx", concurrency)
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = {}
        for span in cls.agent.spans():
            cls.spans.setdefault((span.path, span.kind), []).append(span)

    @classmethod
    def start_servers(cls):
        d = cls.directory
        names = ("nginx", "node", "aiohttp", "go")
        cls.ports = dict(zip(names, e2e.free_ports(len(names))))
        more = "worker_connections 64", "worker_connections 512"
        commands = {"nginx": nginx_command(d, cls.ports["nginx"], more),
                    **server_commands(d, cls.python, d / "go_peer", cls.ports)}
        for name, command in commands.items():
            cls.keep(e2e.Program(d, name, command)).wait_port(cls.ports[name])

    @classmethod
    def clients(cls):
        ca = cls.directory / "ca.pem"
        return {
            "requests": [cls.python, PEERS / "client_requests.py", ca],
            "aiohttp": [cls.python, PEERS / "client_aiohttp.py", ca],
            "node": ["node", PEERS / "client.js"],
            "go": [cls.directory / "go_peer", "get"],
        }

    @classmethod
    def paths(cls, client, server, concurrency):
        return [f"/{cls.prefix}/{client}/{server}/{concurrency}/{i}" for i in range(REQUESTS)]

    @classmethod
    def ask(cls, client, command, server, concurrency):
        ca = str(cls.directory / "ca.pem")
        urls = [f"https://localhost:{cls.ports[server]}{path}"
                for path in cls.paths(client, server, concurrency)]
        said = run(*command, *urls, env={**os.environ, "SSL_CERT_FILE": ca,
                                         "NODE_EXTRA_CA_CERTS": ca,
                                         "CONCURRENCY": str(concurrency)})
        cls.good[client, server, concurrency] = int(said.split()[-1])

    @classmethod
    def ask_by_curl(cls, server, concurrency):
        said = run("curl", "-sS", "--http1.1", "-Z", "--parallel-max", concurrency, "-w",
                   "\n= %{http_code} %{local_port} %{url}\n",
                   "--cacert", cls.directory / "ca.pem",
                   *(f"https://localhost:{cls.ports[server]}{path}"
                     for path in cls.paths("curl", server, concurrency)))
        lines = [line.split() for line in said.splitlines() if line.startswith("= ")]
        cls.good["curl", server, concurrency] = sum(line[1] == "200" for line in lines)
        for _, _, port, url in lines:
            cls.local_ports[url[url.index("/", 8):]] = int(port)

    def each(self):
        """What was asked, and its path."""
        for asked in self.good:
            for path in self.paths(*asked):
                yield asked, path

    def ends(self, path):
        return [self.spans.get((path, kind), []) for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER)]

    def test_every_request_is_one_client_and_one_server_span(self):
        self.assertEqual(self.good, dict.fromkeys(self.good, REQUESTS))
        missing = {}
        for asked, path in self.each():
            n = tuple(len(spans) for spans in self.ends(path))
            if n != (1, 1):
                missing.setdefault((asked, n), []).append(path)
        self.assertEqual({key: len(paths) for key, paths in missing.items()}, {})

    def test_both_ends_belong_together(self):
        for asked, path in self.each():
            (client,), (server,) = self.ends(path)
            self.assertEqual((server.trace_id, server.parent_id, server.evidence),
                             (client.trace_id, client.span_id, "wire"), path)

    def test_the_server_spans_peer_is_the_port_that_the_client_used(self):
        self.assertEqual(len(self.local_ports), REQUESTS * len(CONCURRENCIES) * len(self.ports))
        for path, port in self.local_ports.items():
            _, (server,) = self.ends(path)
            self.assertEqual(server.attributes["network.peer.port"], port, path)

    def test_nothing_was_lost_but_what_has_no_clear_text(self):
        totals = self.agent.totals()
        self.assertEqual(totals["operations"], e2e.sum_of(totals, "Operations used") +
                         e2e.sum_of(totals, "Operations lost"))
        self.assertEqual(totals["spans"], 2 * REQUESTS * len(self.good))


if __name__ == "__main__":
    e2e.main()
